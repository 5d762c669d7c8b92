"""What a refusal says beside its reason."""

from dataclasses import replace

import pytest

from idp.domain.assurance import Level
from idp.domain.decision import Refused, decide
from idp.domain.objections import Matter, objection
from idp.domain.reasons import REASONS, Reason

from .decision_cases import TODAY, asked, factors, held, mandate
from .oracle import Case, Linked, Mandated


def facts(case: Case, reason: Reason) -> dict[str, str]:
    """The facts of one reason of a refusal, beside the levels."""
    refused = decide(asked(case.asked, case.restricts, case.chains), held(case), factors("po"), TODAY)
    assert isinstance(refused, Refused)
    (found,) = (one for one in refused.objections if one.reason is reason)
    return {name: value for name, value in found.facts.items() if name not in ("asked", "held")}


def test_a_term_that_is_over_names_its_last_day() -> None:
    """D08: the means was valid until then."""
    assert facts(Case(term="over"), Reason.MEANS_EXPIRED) == {"until": "2026-11-19"}


def test_an_upgrade_names_the_day_from_which_one_can_log_in_again() -> None:
    """D10: the expected end of the gap; nothing is said where none is recorded."""
    assert facts(Case(gap="until tomorrow"), Reason.UPGRADE_IN_PROGRESS) == {"from": "2026-11-21"}
    matter = Matter(asked("EH3", False, True).target, Level.EH3, held(Case()), TODAY)
    assert "from" not in objection(Reason.UPGRADE_IN_PROGRESS, matter).facts


def test_of_several_expired_mandates_the_last_to_end_is_named() -> None:
    """D03: a mandate that still runs, or is about something else, is not the one that expired."""
    mandates = (
        Mandated(days="ended and unused", scope="this service"),
        Mandated(days="ended yesterday", level="EH2"),
        Mandated(days="used 24 months and a day ago"),
        Mandated("another service"),
    )
    found = facts(Case(mandates=mandates), Reason.MANDATE_EXPIRED)
    assert found == {"until": "2026-11-19"}
    assert facts(Case(mandates=mandates[:1]), Reason.MANDATE_EXPIRED) == {"until": "2026-11-19"}


def test_a_sleeping_mandate_names_its_last_use() -> None:
    """D04: the latest use among those that fell asleep, not among all."""
    mandates = (
        Mandated(days="ended and unused"),
        Mandated(days="used 24 months and a day ago"),
        Mandated(days="ended yesterday"),
    )
    assert facts(Case(mandates=mandates), Reason.MANDATE_DORMANT) == {"last_used": "2024-11-19"}


def test_a_mandate_that_falls_short_names_its_level() -> None:
    """D11: the strongest of those that fall short."""
    mandates = (Mandated(level="EH2"), Mandated(level="EH2+"), Mandated(level="EH4", days="ended yesterday"))
    found = facts(Case(mandates=mandates), Reason.MANDATE_LEVEL_TOO_LOW)
    assert found == {"mandate": "EH2+"}


@pytest.mark.parametrize(
    ("halves", "missing"),
    [
        (("client",), "intermediary"),
        (("intermediary",), "principal"),
        (("none",), "principal intermediary"),
        (("both", "client"), "intermediary"),
        (("client", "intermediary"), "principal intermediary"),
    ],
)
def test_an_incomplete_chain_names_the_halves_that_are_missing(halves: tuple[str, ...], missing: str) -> None:
    """D13: who still has to confirm."""
    chain = tuple(Linked(halves=half) for half in halves)
    assert facts(Case(chain=chain), Reason.CHAIN_INCOMPLETE) == {"missing": missing}


def test_the_mandates_of_a_chain_speak_too() -> None:
    """D03, D11: where a client's mandate is what fails, its day or level is named."""
    expired = Case(chain=(Linked(Mandated(days="ended yesterday")),))
    assert facts(expired, Reason.MANDATE_EXPIRED) == {"until": "2026-11-19"}
    weak = Case(chain=(Linked(Mandated(level="EH2")),))
    assert facts(weak, Reason.MANDATE_LEVEL_TOO_LOW) == {"mandate": "EH2"}


@pytest.mark.parametrize("reason", [one for one in Reason if one is not Reason.BRANCH_REGISTRATION])
def test_the_remedies_are_those_of_the_table(reason: Reason) -> None:
    """RUL-4: only the registration on a branch has remedies that depend on the case."""
    late = replace(
        held(Case(chain=(Linked(),))), mandates=(mandate(Mandated(level="EH2", days="ended and unused"), "m"),)
    )
    found = objection(reason, Matter(asked("EH3", False, True).target, Level.EH3, late, TODAY))
    assert found.remedies == REASONS[reason].remedies
    assert {"asked": "EH3", "held": "EH3"}.items() <= found.facts.items()
