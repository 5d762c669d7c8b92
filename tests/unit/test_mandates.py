"""Mandates: their dates, their scope, and what they leave of a restriction."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise, permutations

import pytest

from idp.domain.assurance import Level
from idp.domain.identifiers import KvkNumber
from idp.domain.mandates import (
    GENERAL,
    WHOLE_ORGANISATION,
    Link,
    Mandate,
    Need,
    Scope,
    ScopeKind,
    Target,
    add_months,
    connected,
    cover,
    dormant,
    in_scope,
    narrow,
    restriction,
)
from idp.domain.reasons import Reason

from .decision_cases import (
    BRANCHES,
    CLIENTS,
    EMPLOYER,
    OTHER_PROVIDER,
    OTHER_SERVICE,
    PROVIDER,
    SCOPES,
    SERVICE,
    TODAY,
    mandate,
)
from .oracle import LEFT, SPEAKS, Mandated

DAY = timedelta(days=1)
NEED = Need(Target(SERVICE, PROVIDER, True), Level.EH3, Level.EH3, WHOLE_ORGANISATION, TODAY)
PLAIN = mandate(Mandated(level="EH3"), "plain")


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        ("2024-11-20", 24, "2026-11-20"),
        ("2024-02-29", 24, "2026-02-28"),
        ("2024-02-29", 48, "2028-02-29"),
        ("2024-02-29", 60, "2029-02-28"),
        ("2025-01-31", 1, "2025-02-28"),
        ("2025-12-31", 1, "2026-01-31"),
        ("2025-12-01", 12, "2026-12-01"),
        ("2025-03-31", 8, "2025-11-30"),
        ("2025-05-15", 0, "2025-05-15"),
        ("2025-03-31", -1, "2025-02-28"),
    ],
)
def test_months_are_counted_on_the_calendar(day: str, months: int, expected: str) -> None:
    """The same day of a later month, or its last."""
    assert add_months(date.fromisoformat(day), months) == date.fromisoformat(expected)


@pytest.mark.parametrize(
    ("last_used", "last_day_awake"),
    [("2024-11-20", "2026-11-20"), ("2024-02-29", "2026-02-28"), ("2023-12-31", "2025-12-31")],
)
def test_a_mandate_falls_asleep_after_24_months_without_use(last_used: str, last_day_awake: str) -> None:
    """A.2, EH-D04: awake on the day itself, asleep the day after."""
    slept = replace(PLAIN, valid_from=date(2023, 1, 1), last_used=date.fromisoformat(last_used))
    awake = date.fromisoformat(last_day_awake)
    assert (dormant(slept, awake), dormant(slept, awake + DAY)) == (False, True)


def test_a_mandate_lasts_at_most_five_years() -> None:
    """Domain 7.1, A.2: a longer one cannot be made."""
    begin = date(2024, 2, 29)
    Mandate("m", GENERAL, Level.EH3, WHOLE_ORGANISATION, begin, date(2029, 2, 28), begin)
    with pytest.raises(ValueError, match=r"^a mandate lasts at most five years$"):
        Mandate("m", GENERAL, Level.EH3, WHOLE_ORGANISATION, begin, date(2029, 3, 1), begin)


@pytest.mark.parametrize("kind", ScopeKind)
@pytest.mark.parametrize("service", [None, SERVICE])
@pytest.mark.parametrize("provider", [None, PROVIDER])
def test_a_scope_names_exactly_what_its_kind_says(kind, service, provider) -> None:
    """Domain 7.1: one service, one provider, or nothing because it is all."""
    right = {
        ScopeKind.SERVICE: (SERVICE, None),
        ScopeKind.PROVIDER: (None, PROVIDER),
        ScopeKind.GENERAL: (None, None),
    }
    if (service, provider) == right[kind]:
        assert Scope(kind, service, provider).kind is kind
        return
    with pytest.raises(ValueError, match=r"^a scope names exactly what its kind says$"):
        Scope(kind, service, provider)


@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_speaks_of_its_service_its_provider_or_everything(scope: str) -> None:
    """Domain 7.1: and of nothing else."""
    assert in_scope(SCOPES[scope], NEED.target) == SPEAKS[scope]


def test_a_new_service_is_covered_by_the_wider_scopes_at_once() -> None:
    """M-11: general and provider mandates reach services that did not exist when they were given."""
    new = Target(OTHER_SERVICE, PROVIDER, False)
    assert in_scope(GENERAL, new)
    assert in_scope(SCOPES["this provider"], new)
    assert not in_scope(SCOPES["this service"], new)
    assert not in_scope(SCOPES["this provider"], replace(new, provider=OTHER_PROVIDER))


@pytest.mark.parametrize(("pair", "left"), LEFT.items(), ids=str)
def test_restrictions_are_cut_with_each_other(pair: tuple[str, str], left: str | None) -> None:
    """RUL-7: the whole organisation gives way, two restrictions leave what they share, nothing is not everything."""
    registered, mandated = (BRANCHES[one] for one in pair)
    assert restriction(registered, mandated) == (None if left is None else BRANCHES[left])


def test_of_several_covering_mandates_one_is_used_whatever_their_order() -> None:
    """Domain 13.2: the unrestricted one first, then the highest level, then the one that lasts longest."""
    limited = mandate(Mandated(level="EH4", branches="X"), "limited")
    high = mandate(Mandated(level="EH4", days="last day"), "high")
    longer = mandate(Mandated(level="EH4"), "longer")
    twin = replace(longer, id="twin")
    for order in permutations((limited, PLAIN, high, longer, twin)):
        found = cover(order, NEED)
        assert (found.mandate, found.used, found.reasons) == (twin, ("twin",), frozenset())
    assert cover((limited, high, PLAIN), NEED).mandate == high
    assert cover((limited, PLAIN), NEED).mandate == PLAIN


def test_without_a_mandate_about_the_service_there_is_no_mandate() -> None:
    """D02: expired mandates about something else are not mentioned."""
    other = mandate(Mandated("another service", days="ended yesterday"), "other")
    for mandates in ((), (other,)):
        found = cover(mandates, NEED)
        assert (found.mandate, found.reasons, found.used) == (None, {Reason.NO_MANDATE}, ())


def test_every_mandate_about_the_service_says_why_it_does_not_cover() -> None:
    """F04: all reasons of all that speak of the service."""
    expired = mandate(Mandated(days="ended yesterday"), "expired")
    asleep = mandate(Mandated(days="used 24 months and a day ago", level="EH2"), "asleep")
    assert cover((expired, asleep), NEED).reasons == {
        Reason.MANDATE_EXPIRED,
        Reason.MANDATE_DORMANT,
        Reason.MANDATE_LEVEL_TOO_LOW,
    }


def chain_of(*companies: KvkNumber) -> list[Link]:
    return [Link(giver, taker, replace(PLAIN, id=f"{giver}"), True, True) for giver, taker in pairwise(companies)]


def test_a_chain_is_connected_when_each_hands_on_to_the_next() -> None:
    """RUL-15: at least one link, no gap, and no company twice."""
    assert connected(chain_of(CLIENTS[0], EMPLOYER))
    assert connected(chain_of(CLIENTS[1], CLIENTS[0], EMPLOYER))
    assert not connected([])
    assert not connected(chain_of(EMPLOYER, EMPLOYER))
    assert not connected(chain_of(EMPLOYER, CLIENTS[0], EMPLOYER))
    assert not connected(chain_of(CLIENTS[0], CLIENTS[1], CLIENTS[0], EMPLOYER))
    torn = chain_of(CLIENTS[0], CLIENTS[1]) + chain_of(CLIENTS[2], EMPLOYER)
    assert not connected(torn)


def test_a_chain_gives_what_all_its_links_give() -> None:
    """RUL-15, LOA-8: the lowest level, the common branches, the mandates of all, told of the first company's."""
    first, second, third = chain_of(*CLIENTS[:3], EMPLOYER)
    first = replace(first, mandate=replace(first.mandate, branches=BRANCHES["XY"], level=Level.EH4))
    third = replace(third, mandate=replace(third.mandate, branches=BRANCHES["X"]))
    found = narrow((first, second, third), NEED)
    assert found.mandate == replace(first.mandate, level=Level.EH3, branches=BRANCHES["X"])
    assert found.used == tuple(link.mandate.id for link in (first, second, third))
    assert not found.reasons


def test_a_chain_of_four_links_is_too_long() -> None:
    """RUL-15: depth three at most."""
    assert narrow(chain_of(*CLIENTS[:3], EMPLOYER), NEED).mandate is not None
    found = narrow(chain_of(*CLIENTS[:4], EMPLOYER), NEED)
    assert (found.mandate, found.reasons) == (None, {Reason.NO_MANDATE})


def test_branches_that_no_link_shares_leave_nothing() -> None:
    """RUL-7: an empty intersection along a chain is another branch, never the whole organisation."""
    first, second, third = chain_of(*CLIENTS[:3], EMPLOYER)
    first = replace(first, mandate=replace(first.mandate, branches=BRANCHES["X"]))
    second = replace(second, mandate=replace(second.mandate, branches=BRANCHES["Y"]))
    found = narrow((first, second, third), NEED)
    assert (found.mandate, found.reasons) == (None, {Reason.OTHER_BRANCH})


@pytest.mark.parametrize(("mine", "theirs"), [(True, False), (False, True), (False, False)])
def test_a_link_is_complete_only_with_both_halves(mine: bool, theirs: bool) -> None:
    """RUL-15, EH-D13: one half is no mandate."""
    (link,) = chain_of(CLIENTS[0], EMPLOYER)
    half = replace(link, principal_confirmed=mine, intermediary_confirmed=theirs)
    assert (link.complete, half.complete) == (True, False)
    assert narrow((half,), NEED).reasons == {Reason.CHAIN_INCOMPLETE}


def test_stored_names_of_scopes_stay_as_they_are() -> None:
    """Mandates are stored with these names."""
    assert [kind.value for kind in ScopeKind] == ["service", "provider", "general"]
