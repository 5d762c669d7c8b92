"""next_step(), chosen() and stated_level() against their oracle and row by row."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import combinations_with_replacement, product

import pytest

from idp.domain.assurance import Factor, Level
from idp.domain.decision import Granted, Option, Refused, StepUp
from idp.domain.login import (
    LoginRequest,
    Progress,
    RequestedAttribute,
    Step,
    chosen,
    next_step,
    stated_level,
)
from idp.domain.mandates import WHOLE_ORGANISATION
from idp.domain.reasons import REASONS, Objection, Reason

from .decision_cases import INSTANCE, LEVELS, factors, held
from .oracle import LADDER, Case
from .oracle_of_steps import SECOND, Moment, step_of

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
GRANTED = Granted(Level.EH3, WHOLE_ORGANISATION, None)
ASKED = LoginRequest("saml", "party", INSTANCE, Level.EH3)
KNOWN = Progress("account", frozenset({Factor.PASSWORD, Factor.OTP}), NOON)


def objection(reason: Reason) -> Objection:
    return Objection(reason, REASONS[reason].remedies)


def option(way: str, place: int, asked: str) -> Option:
    """A way to act about which the decision said this."""
    factor = Factor.CERTIFICATE if SECOND[asked] == "c" else Factor.OTP
    decision = {
        "granted": GRANTED,
        "proof": StepUp(factor),
        "hidden": Refused((objection(Reason.NO_MANDATE),), factor),
        "shown": Refused((objection(Reason.LEVEL_TOO_LOW),), factor),
    }[way]
    return Option(held(Case(), f"way {place}"), decision)


def moments() -> list[Moment]:
    """Every progress of a login with up to three ways to act."""
    kinds = ("granted", "proof", "hidden", "shown")
    ways = [one for count in range(4) for one in combinations_with_replacement(kinds, count)]
    sides = product(LADDER, (True, False), ("", "o", "p", "po", "pc", "poc"), ways, (-2, -1, 0, 1))
    flags = ((False, False, False), (True, False, False), (True, True, False), (True, False, True))
    return [Moment(*side, *flag) for side in sides for flag in flags]


def test_the_order_of_a_login_agrees_with_its_oracle() -> None:
    """At every moment of a login, the next step is the one that the independent statement names."""
    wrong, every = [], moments()
    for moment in every:
        asked = replace(ASKED, level=LEVELS[moment.asked], ask_consent=moment.wants_consent)
        progress = Progress(
            account="account" if moment.known else None,
            factors=factors(moment.proofs),
            chosen=None if moment.picked == -1 else f"way {moment.picked}",
            consented=frozenset() if moment.consented else None,
            cancelled=moment.cancelled,
        )
        options = tuple(option(way, place, moment.asked) for place, way in enumerate(moment.ways))
        if next_step(asked, progress, options) != step_of(moment):
            wrong.append(moment)
    assert wrong == []
    assert len(every) == 5 * 2 * 6 * 35 * 4 * 4


@pytest.mark.parametrize(
    ("asked", "progress", "expected"),
    [
        (ASKED, KNOWN, Step.ANSWER),
        (replace(ASKED, ask_consent=True), KNOWN, Step.CONSENT),
        (replace(ASKED, attributes=(RequestedAttribute("urn:x", False),)), KNOWN, Step.CONSENT),
        (ASKED, replace(KNOWN, foreign=True), Step.CONSENT),
        (ASKED, replace(KNOWN, foreign=True, consented=frozenset()), Step.ANSWER),
        (replace(ASKED, ask_consent=True), replace(KNOWN, consented=frozenset({"urn:x"})), Step.ANSWER),
    ],
)
def test_consent_is_asked_once_for_attributes_on_demand_and_for_a_foreign_session(asked, progress, expected) -> None:
    """RUL-12, S-5: consent is a step of its own, asked in each login and never twice."""
    assert next_step(asked, progress, (option("granted", 0, "EH3"),)) is expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, Step.CONSENT),
        (frozenset(), Step.CONSENT),
        (frozenset({"urn:optional"}), Step.CONSENT),
        (frozenset({"urn:required"}), Step.ANSWER),
        (frozenset({"urn:required", "urn:optional"}), Step.ANSWER),
    ],
)
def test_a_required_attribute_cannot_be_withheld(given: frozenset[str] | None, expected: Step) -> None:
    """RA-3, RA-5: an optional one may be refused, a login does not go on without a required one."""
    attributes = (RequestedAttribute("urn:required", True), RequestedAttribute("urn:optional", False))
    asked = replace(ASKED, attributes=attributes)
    assert next_step(asked, replace(KNOWN, consented=given), (option("granted", 0, "EH3"),)) is expected


def test_what_a_request_does_not_say_it_does_not_ask() -> None:
    """Neither force nor silence nor consent, no choice, no attributes, no subject, no hint."""
    assert (
        LoginRequest(
            "saml",
            "party",
            INSTANCE,
            Level.EH3,
            ceiling=None,
            force=False,
            passive=False,
            ask_consent=False,
            choose=False,
            max_age=None,
            attributes=(),
            subject=None,
            login_hint="",
            locales=(),
            reply={},
        )
        == ASKED
    )


def test_a_login_begins_with_nothing() -> None:
    """Nobody is known, nothing is proven, chosen, consented to, kept or cancelled."""
    assert Progress() == Progress(
        account=None,
        factors=frozenset(),
        authenticated_at=None,
        resumed=False,
        foreign=False,
        chosen=None,
        consented=None,
        keep=False,
        cancelled=False,
    )


def test_a_sole_possible_choice_is_not_asked() -> None:
    """RUL-15: with one way granted beside impossible ones, that one is used."""
    ways = (option("shown", 0, "EH3"), option("granted", 1, "EH3"), option("hidden", 2, "EH3"))
    assert chosen(KNOWN, ways) is ways[1]


def test_a_choice_that_is_no_longer_granted_is_asked_again() -> None:
    """Nobody acts for another organisation than the one they chose, not even when only one is left."""
    ways = (option("granted", 0, "EH3"), option("shown", 1, "EH3"))
    progress = replace(KNOWN, chosen="way 1")
    assert chosen(progress, ways) is None
    assert next_step(ASKED, progress, ways) is Step.CHOOSE


def test_the_choice_of_the_person_is_used() -> None:
    """GUC4: of several granted ways the chosen one is answered with."""
    ways = tuple(option("granted", place, "EH3") for place in range(3))
    assert chosen(KNOWN, ways) is None
    assert chosen(replace(KNOWN, chosen="way 2"), ways) is ways[2]


@pytest.mark.parametrize(
    ("reached", "ceiling", "stated"),
    [
        (Level.EH4, None, Level.EH4),
        (Level.EH4, Level.EH3, Level.EH3),
        (Level.EH3, Level.EH3, Level.EH3),
        (Level.EH2, Level.EH3, Level.EH2),
    ],
)
def test_the_level_stated_is_the_level_reached_under_the_ceiling(reached, ceiling, stated) -> None:
    """LOA-7, RC-3: never more than was reached, and less only where the request or the party says so."""
    assert stated_level(replace(ASKED, ceiling=ceiling), reached) is stated


def test_stored_names_of_steps_stay_as_they_are() -> None:
    """Steps are recorded and told to pages by these names."""
    assert [step.value for step in Step] == [
        "password",
        "code",
        "certificate",
        "choose",
        "consent",
        "refused",
        "answer",
    ]
