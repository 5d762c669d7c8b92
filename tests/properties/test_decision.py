"""What holds of the decision whatever the case."""

from dataclasses import replace

from hypothesis import example, given, settings
from hypothesis import strategies as st

from idp.domain.assurance import Factor, Level
from idp.domain.decision import Decision, Granted, Option, Refused, StepUp, decide, options, refusal
from idp.domain.login import LoginRequest, Progress, Step, chosen, next_step
from idp.domain.mandates import WHOLE_ORGANISATION, Mandate
from idp.domain.means import Held, considered
from idp.domain.reasons import REASONS, Audience, Reason
from tests.unit.decision_cases import INSTANCE, TODAY, as_verdict, asked, factors, held
from tests.unit.oracle import LADDER, Case, Verdict, verdict

from .worlds import CASES, MANDATES, weaker

RANK = {Refused: 0, StepUp: 1, Granted: 2}
PROOF = {Step.PASSWORD: Factor.PASSWORD, Step.CODE: Factor.OTP, Step.CERTIFICATE: Factor.CERTIFICATE}


def decided(case: Case) -> Decision:
    return decide(asked(case.asked, case.restricts, case.chains), held(case), factors(case.proofs), TODAY)


def branches_of(mandates: tuple[Mandate, ...]) -> list[frozenset[str]]:
    return [mandate.branches for mandate in mandates if mandate.branches]


@given(CASES)
@settings(max_examples=200)
def test_the_decision_agrees_with_its_oracle_outside_the_enumeration_too(case: Case) -> None:
    """F02, F04, F05, F07: with up to three mandates of any kind and chains of any length."""
    assert as_verdict(decided(case)) == verdict(case)


@given(CASES)
@settings(max_examples=200)
def test_what_is_weaker_never_turns_a_refusal_into_a_grant(case: Case) -> None:
    """Whatever gets worse about the means, the proof or an authority, the outcome gets no better."""
    # Only of who proved less may less be known: a missing password hides that the responder is missing too.
    here = RANK[type(decided(case))]
    for less in weaker(case):
        there = RANK[type(decided(less))]
        assert there <= here or (less.proofs != case.proofs and there < RANK[Granted]), less


@example(Case(proofs="p", level="EH4", has="c"))
@given(CASES)
def test_a_higher_demand_never_turns_a_refusal_into_a_grant(case: Case) -> None:
    """LOA-1: whoever passes at a level passes at every lower one, with the same authorities."""
    found = [decided(case._replace(asked=level)) for level in LADDER]
    ranks = [RANK[type(one)] for one in found]
    if case.has == "c":
        # A certificate is asked for at EH4 alone, so below it this one reason stands in the place of a further step.
        lacking = [isinstance(one, Refused) and one.reasons == (Reason.NO_RESPONDER,) for one in found]
        ranks = [RANK[StepUp] if lacks else rank for rank, lacks in zip(ranks, lacking, strict=True)]
    assert ranks == sorted(ranks, reverse=True)


@given(CASES)
@settings(max_examples=200)
def test_a_grant_claims_no_more_than_was_proven_held_and_mandated(case: Case) -> None:
    """LOA-8, LOA-11, SR-9: at least the level asked, at most each of its sources, and no branch beyond its limits."""
    found, way = decided(case), held(case)
    if not isinstance(found, Granted):
        return
    assert asked(case.asked, False, False).level <= found.level <= way.level
    if found.mandate is None:
        assert (found.level, found.used, case.chain) == (Level.EH1, (), ())
        assert found.branches == way.registration.branches
        return
    used = [one for one in (*way.mandates, *(link.mandate for link in way.chain)) if one.id in found.used]
    assert all(found.level <= mandate.level for mandate in used)
    assert len(found.used) == len(used) == 1 + len(way.chain)
    limits = [*branches_of(tuple(used)), *([way.registration.branches] if way.registration.branch else [])]
    assert all(found.branches and found.branches <= limit for limit in limits)
    assert bool(limits) == (found.branches != WHOLE_ORGANISATION)
    assert case.restricts or not found.branches


@given(CASES)
def test_a_refusal_has_reasons_in_order_and_shows_no_more_than_may_be_shown(case: Case) -> None:
    """RUL-5, RUL-11: no reason twice, all in their order, and before the level is proven only those of the means."""
    found = decided(case)
    if not isinstance(found, Refused):
        return
    assert list(found.reasons) == sorted(set(found.reasons), key=list(Reason).index)
    assert found.reasons
    if found.factor is None:
        assert found.visible() == found.objections
    else:
        shown = found.visible()
        assert all(REASONS[one.reason].audience is Audience.AFTER_PASSWORD for one in shown)
        assert not (found.factor is Factor.PASSWORD and shown)


@given(CASES, MANDATES, st.randoms(use_true_random=False))
def test_the_order_of_mandates_and_those_about_other_services_change_nothing(case: Case, other, shuffler) -> None:
    """A mandate is judged by what it says, not by where it stands; what it does not speak of, it does not touch."""
    before = decided(case)
    way = held(case)
    mandates = list(way.mandates)
    shuffler.shuffle(mandates)
    question = asked(case.asked, case.restricts, case.chains)
    assert decide(question, replace(way, mandates=tuple(mandates)), factors(case.proofs), TODAY) == before
    foreign = case._replace(mandates=(*case.mandates, other._replace(scope="another provider")))
    assert decided(foreign) == before


def walk(ways: tuple[Held, ...], level: str, restricts: bool, chains: bool) -> tuple[list[Step], tuple[Option, ...]]:
    """A login in which everything that is asked is given, up to its end or its first choice."""
    question = asked(level, restricts, chains)
    progress = Progress("account")
    request = LoginRequest("oidc", "party", INSTANCE, question.level)
    steps: list[Step] = []
    while True:
        found = options(question, ways, progress.factors, TODAY)
        steps.append(next_step(request, progress, found))
        if steps[-1] not in PROOF:
            return steps, found
        assert PROOF[steps[-1]] not in progress.factors, "asked twice"
        progress = replace(progress, factors=progress.factors | {PROOF[steps[-1]]})


@given(st.lists(CASES, max_size=4), st.sampled_from(list(LADDER)), st.booleans(), st.booleans())
@settings(max_examples=200)
def test_every_login_ends_and_asks_only_for_what_somebody_has(cases, level, restricts, chains) -> None:
    """RUL-11: password, at most one further factor which the account has, then a grant, a choice or a refusal."""
    ways = tuple(held(case, f"means {place}") for place, case in enumerate(cases))
    steps, found = walk(ways, level, restricts, chains)
    assert steps[0] is Step.PASSWORD
    assert len(steps) <= 3
    if Step.CODE in steps:
        assert any(Factor.OTP in way.factors for way in ways)
    if Step.CERTIFICATE in steps:
        assert any(Factor.CERTIFICATE in way.factors for way in ways)
    granted = [option for option in found if isinstance(option.decision, Granted)]
    assert (steps[-1] is Step.REFUSED) == (not granted)
    if steps[-1] is Step.ANSWER:
        assert chosen(Progress("account"), found) is granted[0]
    if steps[-1] is Step.REFUSED:
        shown = refusal(found, None)
        assert shown.visible(), "a refusal with nothing to say"
        assert shown.visible()[0] == shown.objections[0]


@given(st.lists(CASES, max_size=5))
def test_ways_that_do_not_count_leave_others_that_do(cases) -> None:
    """RUL-5: of an account with ways to act, some always count, and each counts as it was."""
    ways = tuple(held(case, f"means {place}") for place, case in enumerate(cases))
    counted = considered(ways, TODAY)
    assert bool(counted) == bool(ways)
    assert [way for way in ways if way in counted] == list(counted)
    assert considered(counted, TODAY) == counted


def test_the_drawn_cases_reach_every_kind_of_decision() -> None:
    """A property about grants says nothing where nothing is granted: each kind is among the cases."""
    kinds = {type(decided(case)) for case in (Case(), Case(proofs="p"), Case(mandates=()))}
    assert kinds == {Granted, StepUp, Refused}
    assert verdict(Case()) == Verdict("granted", level="EH3", used=("m0",))
