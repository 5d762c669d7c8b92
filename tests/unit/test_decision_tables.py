"""The decision in rows that people can read: the tables of the domain and the facts of the FAQ by name."""

from dataclasses import replace

import pytest

from idp.domain.assurance import Factor
from idp.domain.decision import Granted, Refused, StepUp, decide
from idp.domain.demand import Comparison, LevelPolicy, Reading, Unattainable, demand
from idp.domain.reasons import Reason, Remedy

from .decision_cases import LEVELS, NAME_OF_LEVEL, TODAY, as_verdict, asked, factors, held
from .oracle import LADDER, Case, Linked, Mandated, Verdict, verdict

NO_MANDATES: tuple[Mandated, ...] = ()


def decided(case: Case, open_branches: int = 0) -> Granted | StepUp | Refused:
    question = asked(case.asked, case.restricts, case.chains)
    return decide(question, held(case, open_branches=open_branches), factors(case.proofs), TODAY)


def outcome(case: Case) -> str:
    """The level granted, the factor that is missing, or the reasons."""
    found = as_verdict(decided(case))
    return found.level or " ".join(found.reasons) or found.missing


@pytest.mark.parametrize(
    ("catalogue", "wanted", "lower", "means", "proofs", "mandate", "expected"),
    [
        ("EH3", "", False, "EH3", "po", "EH3", "EH3"),
        ("EH3", "", False, "EH2+", "po", "EH3", "LEVEL_TOO_LOW"),
        ("EH3", "", False, "EH4", "pc", "EH3", "EH3"),
        ("EH3", "", False, "EH3", "po", "EH2+", "MANDATE_LEVEL_TOO_LOW"),
        ("EH3", "EH2", False, "EH2+", "po", "EH2+", "LEVEL_TOO_LOW"),
        ("EH3", "EH2", True, "EH2+", "po", "EH2+", "EH2+"),
        ("EH2", "EH3", False, "EH3", "po", "EH3", "above_catalogue"),
        ("EH2+", "EH2+", False, "EH3", "po", "EH3", "EH3"),
        ("EH1", "", False, "EH1", "p", "", "EH1"),
    ],
)
def test_the_table_of_levels_holds(catalogue, wanted, lower, means, proofs, mandate, expected) -> None:
    """Domain 13.1: each row, from the level of the catalogue to the level stated."""
    policy = LevelPolicy(LEVELS[catalogue], Reading.STRICT, lower)
    level = demand(policy, [LEVELS[wanted]] if wanted else [], Comparison.MINIMUM)
    if isinstance(level, Unattainable):
        assert level.value == expected
        return
    mandates = (Mandated(level=mandate),) if mandate else ()
    case = Case(NAME_OF_LEVEL[level.level], proofs=proofs, level=means, has="oc", mandates=mandates)
    assert outcome(case) == expected


@pytest.mark.parametrize(
    ("restricts", "mandates", "branches", "reasons"),
    [
        (True, ("",), "", ()),
        (True, ("X",), "X", ()),
        (True, ("XY",), "XY", ()),
        (False, ("",), "", ()),
        (False, ("X",), "", ("BRANCH_REGISTRATION",)),
        (False, ("X", ""), "", ()),
        (False, ("", "X"), "", ()),
        (True, ("X", ""), "", ()),
    ],
)
def test_the_table_of_branches_holds(restricts, mandates, branches, reasons) -> None:
    """Domain 13.2: a restriction travels where it is taken, refuses where it is not, and is never dropped (SR-9)."""
    found = decided(Case(restricts=restricts, mandates=tuple(Mandated(branches=one) for one in mandates)))
    expected = Verdict("refused", reasons) if reasons else None
    if expected:
        assert as_verdict(found) == expected
    else:
        assert as_verdict(found)[:5] == ("granted", (), "", "EH3", branches)


@pytest.mark.parametrize("means", LADDER)
@pytest.mark.parametrize("level", LADDER)
def test_f01_a_higher_means_satisfies_a_lower_demand(means: str, level: str) -> None:
    """F01, LOA-1: a means opens every level up to its own and none above."""
    found = outcome(Case(level, proofs="poc", level=means, has="oc"))
    assert (found == "LEVEL_TOO_LOW") == (LADDER[means] < LADDER[level])


@pytest.mark.parametrize(("service", "needs"), [("RVO", "EH3"), ("UWV", "EH3"), ("OLO", "EH2")])
def test_f02_the_service_decides_the_level(service: str, needs: str) -> None:
    """F02: what the service asks is what the means must have, to the step below."""
    below = {"EH3": "EH2+", "EH2": "EH1"}[needs]
    assert outcome(Case(needs, level=needs)) == needs, service
    assert outcome(Case(needs, level=below)) == "LEVEL_TOO_LOW", service


@pytest.mark.parametrize("level", LADDER)
@pytest.mark.parametrize(
    ("mandates", "covered"),
    [
        ((Mandated("everything"),), True),
        ((Mandated("this service"),), True),
        ((Mandated("another service"),), False),
        (NO_MANDATES, False),
    ],
)
def test_f04_uwv_needs_eh3_and_an_authority(level: str, mandates, covered: bool) -> None:
    """F04: allowed exactly with EH3 and a general or specific authority; both reasons when both are missing."""
    high = LADDER[level] >= LADDER["EH3"]
    expected = [] if high else ["LEVEL_TOO_LOW"]
    expected += [] if covered else ["NO_MANDATE"]
    assert outcome(Case(level=level, mandates=mandates)) == (" ".join(expected) or "EH3")


@pytest.mark.parametrize(
    ("registered", "limited", "open_branches", "remedies"),
    [
        ("X", "", 1, (Remedy.CONVERT_TO_MAIN,)),
        ("X", "X", 1, (Remedy.CONVERT_TO_MAIN,)),
        ("X", "", 2, (Remedy.APPLY_FOR_MAIN,)),
        ("X", "", 3, (Remedy.APPLY_FOR_MAIN,)),
        ("X", "", 0, (Remedy.APPLY_FOR_MAIN,)),
        ("", "X", 1, (Remedy.ASK_MANAGER,)),
        ("", "XY", 3, (Remedy.ASK_MANAGER,)),
    ],
)
def test_f05_a_branch_at_uwv_is_refused_with_the_way_out(registered, limited, open_branches, remedies) -> None:
    """F05, F24, F25: one branch converts, more apply for the main number, a limited mandate is widened."""
    case = Case(registered=registered, mandates=(Mandated(branches=limited),))
    refused = decided(case, open_branches)
    assert isinstance(refused, Refused)
    (objection,) = refused.objections
    assert (objection.reason, objection.remedies) == (Reason.BRANCH_REGISTRATION, remedies)


def test_f05_is_told_beside_whatever_else_is_missing() -> None:
    """RUL-7: the registration on a branch is judged independently of the mandates."""
    assert outcome(Case(registered="X", mandates=NO_MANDATES)) == "BRANCH_REGISTRATION NO_MANDATE"
    assert outcome(Case(registered="X", level="EH2")) == "LEVEL_TOO_LOW BRANCH_REGISTRATION"


@pytest.mark.parametrize(("level", "reason"), [("EH1", ""), ("EH2", ""), ("EH2+", "o"), ("EH3", "o")])
def test_f07_without_a_responder_the_manager_is_named_after_the_password(level: str, reason: str) -> None:
    """F07, RUL-14: where a second factor is asked and none is paired, the refusal may be shown at once."""
    found = decided(Case(level, proofs="p", has=""))
    if not reason:
        assert isinstance(found, Granted)
        return
    assert isinstance(found, Refused)
    assert found.reasons == (Reason.NO_RESPONDER,)
    assert Remedy.ASK_MANAGER in found.visible()[0].remedies


def test_before_the_password_nothing_is_told() -> None:
    """RUL-11, F07: a refusal known beforehand is not shown to somebody who proved nothing."""
    refused = decided(Case(level="EH1", proofs="", has=""))
    assert isinstance(refused, Refused)
    assert refused.factor is Factor.PASSWORD
    assert refused.visible() == ()


@pytest.mark.parametrize(
    ("proofs", "shown"),
    [
        ("", ()),
        ("p", (Reason.ACCESS_PAUSED, Reason.LEVEL_TOO_LOW, Reason.NO_RESPONDER)),
        ("po", (Reason.ACCESS_PAUSED, Reason.LEVEL_TOO_LOW, Reason.BRANCH_REGISTRATION, Reason.NO_MANDATE)),
    ],
)
def test_what_is_shown_grows_with_what_is_proven(proofs: str, shown: tuple[Reason, ...]) -> None:
    """RUL-11: nothing, then what concerns the means, then everything."""
    refused = decided(Case(proofs=proofs, level="EH1", status="suspended", has="", registered="X", mandates=()))
    assert isinstance(refused, Refused)
    assert tuple(one.reason for one in refused.visible()) == shown


@pytest.mark.parametrize(
    ("case", "reached"),
    [
        (Case("EH2", proofs="p"), "EH2"),
        (Case("EH2", proofs="po"), "EH3"),
        (Case("EH2", proofs="po", level="EH2"), "EH2"),
        (Case("EH2", proofs="po", mandates=(Mandated(level="EH2+"),)), "EH2+"),
        (Case("EH1", proofs="po", mandates=()), "EH1"),
        (Case("EH2", mandates=(Mandated(level="EH3"),), chain=(Linked(Mandated(level="EH2")),)), "EH2"),
        (Case("EH2", mandates=(Mandated(level="EH2"),), chain=(Linked(),)), "EH2"),
        (Case("EH2", chain=(Linked(), Linked(Mandated(level="EH2+")), Linked())), "EH2+"),
    ],
)
def test_the_level_reached_is_the_weakest_of_all_that_made_it(case: Case, reached: str) -> None:
    """LOA-8, LOA-9: of the proof, the means, the mandate, and every link."""
    assert outcome(case) == reached


@pytest.mark.parametrize(
    "mandates",
    [
        NO_MANDATES,
        (Mandated(days="ended yesterday"),),
        (Mandated(days="used 24 months and a day ago"),),
        (Mandated("another service"),),
        (Mandated(days="from tomorrow"),),
        (Mandated(branches="Y"),),
    ],
)
def test_at_eh1_an_active_means_is_enough(mandates) -> None:
    """RUL-8: where nothing granted covers, the automatic mandate does, at EH1, and nothing counts as used."""
    found = decided(Case("EH1", mandates=mandates))
    assert isinstance(found, Granted)
    assert (found.level, found.mandate, found.used) == (LEVELS["EH1"], None, ())


@pytest.mark.parametrize("status", ["ordered", "awaiting_activation", "suspended", "expired", "revoked", "superseded"])
def test_at_eh1_a_means_that_is_not_active_is_not_enough(status: str) -> None:
    """RUL-8: automatic is the mandate, not the means."""
    assert isinstance(decided(Case("EH1", status=status, mandates=NO_MANDATES)), Refused)


def test_the_automatic_mandate_keeps_to_the_branch_of_the_means() -> None:
    """RUL-7, RUL-8: a means on a branch stands for that branch, also without a mandate."""
    found = decided(Case("EH1", restricts=True, registered="X", mandates=NO_MANDATES))
    assert as_verdict(found) == Verdict("granted", level="EH1", branches="X")


@pytest.mark.parametrize(
    ("means", "mandate", "expected"),
    [
        ("EH3", "EH3", "EH3"),
        ("EH3", "EH2+", "MANDATE_LEVEL_TOO_LOW"),
        ("EH2+", "EH2+", "LEVEL_TOO_LOW"),
        ("EH2", "EH2+", "LEVEL_TOO_LOW"),
        ("EH2+", "EH2", "LEVEL_TOO_LOW MANDATE_LEVEL_TOO_LOW"),
        ("EH4", "EH3", "EH3"),
    ],
)
def test_a_mandate_falls_short_only_when_it_is_below_the_means(means, mandate, expected) -> None:
    """RUL-5: D11 is not said about a mandate as strong as the means, for then the means falls short."""
    assert outcome(Case(level=means, mandates=(Mandated(level=mandate),))) == expected


@pytest.mark.parametrize(
    ("chain", "chains", "mandates", "expected"),
    [
        ((Linked(),), True, (Mandated(),), "EH3"),
        ((Linked(Mandated("this provider")),), True, (Mandated("this service"),), "EH3"),
        ((Linked(), Linked(), Linked()), True, (Mandated(),), "EH3"),
        ((Linked(), Linked(), Linked(), Linked()), True, (Mandated(),), "NO_MANDATE"),
        ((Linked(),), False, (Mandated(),), "NO_MANDATE"),
        ((Linked(),), True, NO_MANDATES, "NO_MANDATE"),
        ((Linked(),), True, (Mandated("another service"),), "NO_MANDATE"),
        ((Linked(halves="client"),), True, (Mandated(),), "CHAIN_INCOMPLETE"),
        ((Linked(halves="intermediary"),), True, (Mandated(),), "CHAIN_INCOMPLETE"),
        ((Linked(), Linked(halves="none")), True, (Mandated(),), "CHAIN_INCOMPLETE"),
        ((Linked(halves="client"),), True, NO_MANDATES, "CHAIN_INCOMPLETE"),
        ((Linked(halves="client"),), True, (Mandated(days="ended yesterday"),), "MANDATE_EXPIRED CHAIN_INCOMPLETE"),
        ((Linked(Mandated("another provider")),), True, (Mandated(),), "NO_MANDATE"),
        ((Linked(),), True, (Mandated(branches="X"),), "BRANCH_REGISTRATION"),
    ],
)
def test_a_chain_needs_both_halves_one_service_and_an_own_mandate(chain, chains, mandates, expected) -> None:
    """RUL-15, K-5, K-8, SR-7: what a chain of companies may and may not be."""
    assert outcome(Case(restricts=True, chains=chains, mandates=mandates, chain=chain)) == expected


@pytest.mark.parametrize("shape", ["elsewhere", "torn", "circle"])
def test_a_chain_must_hang_together_and_end_at_the_own_company(shape: str) -> None:
    """RUL-15: each company hands on to the next, none twice, the last to the one that the means belongs to."""
    case = Case(chain=(Linked(), Linked()))
    assert outcome(case) == "EH3"
    assert outcome(case._replace(shape=shape)) == "NO_MANDATE"


def test_a_chain_uses_the_own_mandate_and_every_link() -> None:
    """A.2, RUL-15: each mandate that a login used is named, so that none of them falls asleep."""
    found = decided(Case(restricts=True, chain=(Linked(Mandated(branches="XY")), Linked(Mandated(branches="X")))))
    assert isinstance(found, Granted)
    assert found.used == ("m0", "c0", "c1")
    assert found.mandate is not None
    assert (found.mandate.id, found.mandate.branches, found.branches) == ("c0", found.branches, found.branches)
    assert as_verdict(found).branches == "X"


def test_an_objection_carries_the_levels_its_text_needs() -> None:
    """D01: the text says what was asked and what the person has."""
    refused = decided(Case("EH3", level="EH2+"))
    assert isinstance(refused, Refused)
    assert refused.objections[0].facts == {"asked": "EH3", "held": "EH2+"}


def test_the_decision_changes_at_midnight_and_not_before() -> None:
    """EH-D03, EH-D04, D08, D10: the last day still counts, the next does not."""
    for field, last, next_day in (
        ("term", "last day", "MEANS_EXPIRED"),
        ("gap", "until today", "UPGRADE_IN_PROGRESS"),
    ):
        ends = {"term": "over", "gap": "until tomorrow"}[field]
        assert outcome(Case()._replace(**{field: last})) == "EH3"
        assert outcome(Case()._replace(**{field: ends})) == next_day
    for last, after, reason in (
        ("last day", "ended yesterday", "MANDATE_EXPIRED"),
        ("used 24 months ago", "used 24 months and a day ago", "MANDATE_DORMANT"),
        ("first day", "from tomorrow", "NO_MANDATE"),
    ):
        assert outcome(Case(mandates=(Mandated(days=last),))) == "EH3"
        assert outcome(Case(mandates=(Mandated(days=after),))) == reason


def test_the_oracle_is_not_blind() -> None:
    """An oracle that agreed with everything would prove nothing: it tells these cases apart."""
    kinds = {verdict(case).kind for case in (Case(), Case(proofs="p"), Case(level="EH1"))}
    assert kinds == {"granted", "step up", "refused"}
    assert replace(held(Case()), means="other") != held(Case())
