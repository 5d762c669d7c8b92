"""Mandates: what they cover, when they lapse, and what a chain of them still allows."""

from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from itertools import pairwise

from idp.domain.assurance import Level
from idp.domain.identifiers import BranchNumber, KvkNumber, Oin, ServiceUuid
from idp.domain.reasons import Reason

MAXIMUM_YEARS = 5
DORMANT_MONTHS = 24
MAXIMUM_CHAIN = 3

Branches = frozenset[BranchNumber]
WHOLE_ORGANISATION: Branches = frozenset()


class ScopeKind(StrEnum):
    """How wide a mandate reaches (domain 7.1)."""

    SERVICE = "service"
    PROVIDER = "provider"
    GENERAL = "general"


@dataclass(frozen=True, slots=True)
class Scope:
    """One service, all services of one provider, or all services, now and in future (M-11)."""

    kind: ScopeKind
    service: ServiceUuid | None = None
    provider: Oin | None = None

    def __post_init__(self) -> None:
        named = (self.service is not None, self.provider is not None)
        if named != (self.kind is ScopeKind.SERVICE, self.kind is ScopeKind.PROVIDER):
            raise ValueError("a scope names exactly what its kind says")


GENERAL = Scope(ScopeKind.GENERAL)


@dataclass(frozen=True, slots=True)
class Target:
    """The service a mandate is held against."""

    service: ServiceUuid
    provider: Oin
    takes_restriction: bool


@dataclass(frozen=True, slots=True)
class Mandate:
    """An authority at a level, for a scope, from day to day; no branches means the whole organisation.

    ``valid_until`` is its last day; ``last_used`` is the Dutch day of its last use, or of its registration.
    """

    id: str
    scope: Scope
    level: Level
    branches: Branches
    valid_from: date
    valid_until: date
    last_used: date

    def __post_init__(self) -> None:
        if self.valid_until > add_months(self.valid_from, 12 * MAXIMUM_YEARS):
            raise ValueError("a mandate lasts at most five years")


@dataclass(frozen=True, slots=True)
class Link:
    """One company-to-company mandate of a chain and the halves that are confirmed (K-1, D13)."""

    principal: KvkNumber
    intermediary: KvkNumber
    mandate: Mandate
    principal_confirmed: bool
    intermediary_confirmed: bool

    @property
    def complete(self) -> bool:
        """Both companies completed their half (RUL-15)."""
        return self.principal_confirmed and self.intermediary_confirmed


def add_months(day: date, months: int) -> date:
    """The same day ``months`` later, or the last day of that month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def in_scope(scope: Scope, target: Target) -> bool:
    """Whether a mandate of this scope speaks about the service at all (domain 7.1)."""
    match scope.kind:
        case ScopeKind.SERVICE:
            return scope.service == target.service
        case ScopeKind.PROVIDER:
            return scope.provider == target.provider
        case ScopeKind.GENERAL:
            return True


def restriction(registered: Branches, mandated: Branches) -> Branches | None:
    """The branches that remain of both restrictions; None when nothing remains (RUL-7, SR-9)."""
    if not registered or not mandated:
        return registered | mandated
    return registered & mandated or None


def dormant(mandate: Mandate, today: date) -> bool:
    """Not used for more than 24 months (A.2, D04)."""
    return today > add_months(mandate.last_used, DORMANT_MONTHS)


@dataclass(frozen=True, slots=True)
class Need:
    """What a login needs of a mandate: a level, for a means of a level on these branches, on a day."""

    target: Target
    level: Level
    means_level: Level
    registered: Branches
    today: date


def failings(mandate: Mandate, need: Need) -> frozenset[Reason]:
    """Why a mandate that is in scope does not cover; empty when it covers (RUL-5, RUL-7, domain 13.1, 13.2).

    A means on a branch at a service that takes no restriction is not the mandate's failing: the decision says so.
    """
    found: set[Reason] = set()
    if need.today < mandate.valid_from:
        found.add(Reason.NO_MANDATE)
    if need.today > mandate.valid_until:
        found.add(Reason.MANDATE_EXPIRED)
    if dormant(mandate, need.today):
        found.add(Reason.MANDATE_DORMANT)
    # A mandate that is as strong as the means is not what falls short: then the means is (RUL-5).
    if mandate.level < min(need.level, need.means_level):
        found.add(Reason.MANDATE_LEVEL_TOO_LOW)
    if not need.target.takes_restriction:
        if mandate.branches:
            found.add(Reason.BRANCH_REGISTRATION)
    elif restriction(need.registered, mandate.branches) is None:
        found.add(Reason.OTHER_BRANCH)
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Coverage:
    """The mandate that covers with the ids of all that were used for it, or the reasons why none does."""

    mandate: Mandate | None
    reasons: frozenset[Reason]
    used: tuple[str, ...] = ()


def cover(mandates: Iterable[Mandate], need: Need) -> Coverage:
    """The covering mandate, or every reason why none covers.

    Of several, an unrestricted one is used before a restricted one (domain 13.2), then the highest level.
    """
    spoken = [mandate for mandate in mandates if in_scope(mandate.scope, need.target)]
    judged = [(mandate, failings(mandate, need)) for mandate in spoken]
    covering = [mandate for mandate, found in judged if not found]
    if covering:
        best = max(covering, key=_preference)
        return Coverage(best, frozenset(), (best.id,))
    reasons: frozenset[Reason] = frozenset().union(*(found for _, found in judged))
    return Coverage(None, reasons or frozenset({Reason.NO_MANDATE}))


def _preference(mandate: Mandate) -> tuple[bool, Level, date, str]:
    return (not mandate.branches, mandate.level, mandate.valid_until, mandate.id)


def narrow(links: Sequence[Link], need: Need) -> Coverage:
    """What a chain still allows: every link must cover and be complete (RUL-15, K-1 to K-6).

    The covering mandate answered is that of the first link, narrowed to the lowest level and the common branches.
    """
    if len(links) > MAXIMUM_CHAIN or not connected(links):
        return Coverage(None, frozenset({Reason.NO_MANDATE}))
    reasons: set[Reason] = set()
    branches: Branches | None = WHOLE_ORGANISATION
    for link in links:
        reasons |= cover([link.mandate], need).reasons
        if not link.complete:
            reasons.add(Reason.CHAIN_INCOMPLETE)
        branches = None if branches is None else restriction(branches, link.mandate.branches)
    if branches is None and need.target.takes_restriction:
        reasons.add(Reason.OTHER_BRANCH)
    if reasons or branches is None:
        return Coverage(None, frozenset(reasons))
    level = min(link.mandate.level for link in links)
    used = tuple(link.mandate.id for link in links)
    return Coverage(replace(links[0].mandate, level=level, branches=branches), frozenset(), used)


def connected(links: Sequence[Link]) -> bool:
    """At least one link, each company handing on to the next, none standing in the chain twice."""
    companies = [link.principal for link in links] + [link.intermediary for link in links[-1:]]
    joined = all(one.intermediary == following.principal for one, following in pairwise(links))
    return bool(links) and joined and len(set(companies)) == len(companies)
