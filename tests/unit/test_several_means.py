"""An account with several ways to act: which of them count, and whose refusal is shown."""

from dataclasses import replace
from datetime import timedelta

import pytest

from idp.domain.assurance import Factor, Level
from idp.domain.decision import Granted, Option, Refused, StepUp, options, refusal
from idp.domain.identifiers import KvkNumber
from idp.domain.means import Held, MeansStatus, Registration, considered, ended, state_reasons, status_on
from idp.domain.reasons import REASONS, Objection, Reason

from .decision_cases import BRANCH, EMPLOYER, TODAY, asked, factors, held
from .oracle import STATE, Case, Linked, Mandated

DAY = timedelta(days=1)
ENOUGH = factors("po")
UWV = asked("EH3", False, True)
GOOD = held(Case())
PENDING = [MeansStatus.ORDERED, MeansStatus.AWAITING_ACTIVATION]
OVER = [MeansStatus.EXPIRED, MeansStatus.REVOKED, MeansStatus.SUPERSEDED]


def named(means: str, **changes: object) -> Held:
    return replace(GOOD, means=means, **changes)  # type: ignore[arg-type]


def reasons_of(found: tuple[Option, ...]) -> tuple[Reason, ...]:
    return refusal(found, None).reasons


@pytest.mark.parametrize("status", OVER)
@pytest.mark.parametrize("other", [MeansStatus.ACTIVE, MeansStatus.SUSPENDED, *PENDING])
def test_an_ended_means_counts_only_when_nothing_else_is_held(status: MeansStatus, other: MeansStatus) -> None:
    """RUL-5: D08, D09 and superseded stand aside for any means that lives, and speak where there is none."""
    old, living = named("old", status=status), named("living", status=other)
    assert considered((old, living), TODAY) == (living,)
    assert considered((old,), TODAY) == (old,)
    assert considered((old, replace(old, means="older")), TODAY) == (old, replace(old, means="older"))


@pytest.mark.parametrize("status", MeansStatus)
def test_a_term_that_is_over_counts_as_over_before_the_sweep_has_written_it(status: MeansStatus) -> None:
    """RUL-5: on the day after its last, an active or paused means is expired, and a pending one still pending."""
    last = replace(GOOD, status=status, valid_until=TODAY)
    late = replace(last, valid_until=TODAY - DAY)
    runs = status in (MeansStatus.ACTIVE, MeansStatus.SUSPENDED)
    assert status_on(last, TODAY) is status
    assert status_on(late, TODAY) is (MeansStatus.EXPIRED if runs else status)
    assert ended(late, TODAY) is (runs or status in OVER)
    assert ended(last, TODAY) is (status in OVER)
    for when, place in ((last, 0), (late, 1)):
        expected = STATE[status.value][place]
        assert state_reasons(when, TODAY) == ({expected} if expected else set())


@pytest.mark.parametrize("status", PENDING)
def test_a_means_in_its_upgrade_gap_hides_its_pending_successor(status: MeansStatus) -> None:
    """RUL-5: D10 is what is true; the letter that lies at home is not the point."""
    gap = named("old", level=Level.EH1, upgrade_gap_until=TODAY + DAY)
    successor = named("new", status=status)
    assert considered((gap, successor), TODAY) == (gap,)
    assert considered((successor, gap), TODAY) == (gap,)
    assert considered((replace(gap, upgrade_gap_until=TODAY), successor), TODAY) != (gap,)


def test_a_gap_hides_nothing_that_is_registered_elsewhere_or_active() -> None:
    """RUL-5: only the successor of that registration, and only while it is pending."""
    gap = named("old", upgrade_gap_until=TODAY + DAY)
    elsewhere = named("other", status=PENDING[0], registration=Registration(KvkNumber("90000009")))
    on_branch = named("branch", status=PENDING[1], registration=Registration(EMPLOYER, BRANCH["X"]))
    active = named("active")
    every = (gap, elsewhere, on_branch, active)
    assert considered(every, TODAY) == every


def test_a_pending_means_hides_neither_itself_nor_its_like() -> None:
    """RUL-5: an account with ways to act never ends up without any."""
    pending = named("new", status=PENDING[0], upgrade_gap_until=TODAY + DAY)
    assert considered((pending,), TODAY) == (pending,)
    assert considered((pending, replace(pending, means="newer")), TODAY) == (pending, replace(pending, means="newer"))


def test_the_refusal_shown_is_that_of_the_way_that_got_furthest() -> None:
    """RUL-5: a missing mandate lies further than a level that is too low, and one reason further than two."""
    low = held(Case(level="EH2"), "low")
    unmandated = held(Case(mandates=()), "unmandated")
    both = held(Case(level="EH2", mandates=()), "both")
    paused = held(Case(status="suspended"), "paused")
    for ways, expected in (
        ((low, unmandated), (Reason.NO_MANDATE,)),
        ((unmandated, low, paused), (Reason.NO_MANDATE,)),
        ((both, low), (Reason.LEVEL_TOO_LOW,)),
        ((low, both), (Reason.LEVEL_TOO_LOW,)),
        ((paused, both), (Reason.LEVEL_TOO_LOW, Reason.NO_MANDATE)),
    ):
        assert reasons_of(options(UWV, ways, ENOUGH, TODAY)) == expected


def test_ways_that_are_not_refused_have_no_refusal_to_show() -> None:
    """A granted or unfinished way never lends its name to a refusal."""
    granted = Option(GOOD, Granted(Level.EH3, frozenset(), None))
    unfinished = Option(GOOD, StepUp(Factor.OTP))
    refused = Option(GOOD, Refused((Objection(Reason.NO_MANDATE, ()),)))
    assert reasons_of((granted, refused, unfinished)) == (Reason.NO_MANDATE,)
    assert reasons_of((granted, unfinished)) == (Reason.NO_MEANS,)


def test_an_account_without_means_has_one_reason_of_its_own() -> None:
    """D16: no means, with the factor that was still to be proven."""
    refused = refusal((), Factor.OTP)
    assert refused.objections == (Objection(Reason.NO_MEANS, REASONS[Reason.NO_MEANS].remedies),)
    assert refused.factor is Factor.OTP


@pytest.mark.parametrize(
    ("chains", "scope", "listed"),
    [
        (True, "this service", True),
        (True, "this provider", True),
        (True, "everything", True),
        (True, "another service", False),
        (False, "this service", False),
    ],
)
def test_a_chain_is_listed_only_where_it_speaks_of_the_service(chains: bool, scope: str, listed: bool) -> None:
    """RUL-15: elsewhere it is not an impossible choice but none at all."""
    chained = held(Case(chain=(Linked(), Linked(Mandated(scope)))))
    found = options(asked("EH3", False, chains), (GOOD, chained), ENOUGH, TODAY)
    assert [one.held for one in found] == ([GOOD, chained] if listed else [GOOD])


def test_every_way_is_decided_on_its_own() -> None:
    """Options carry the decision of each way, in the order in which they are held."""
    low = held(Case(level="EH2"), "low")
    found = options(UWV, iter((low, GOOD)), factors("p"), TODAY)
    assert [one.held.means for one in found] == ["low", "means"]
    assert isinstance(found[0].decision, Refused)
    assert found[1].decision == StepUp(Factor.OTP)


@pytest.mark.parametrize(
    ("case", "proofs", "is_open"),
    [
        (Case(), "po", True),
        (Case(), "p", True),
        (Case(mandates=()), "p", True),
        (Case(registered="X"), "p", True),
        (Case(mandates=()), "po", False),
        (Case(has="", mandates=()), "p", False),
        (Case(level="EH2"), "p", False),
        (Case(status="suspended"), "p", False),
        (Case("EH2", level="EH2", mandates=()), "p", False),
    ],
)
def test_a_way_stays_open_while_going_on_may_tell_more(case: Case, proofs: str, is_open: bool) -> None:
    """RUL-11: a refusal that may not be told yet asks for the second factor first, if the account has one."""
    (found,) = options(asked(case.asked, False, True), (held(case),), factors(proofs), TODAY)
    assert found.open is is_open
