"""The one question: may this means log in to this service, at which level, for which organisation?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from idp.domain.assurance import Factor, Level, missing_factor, proven_level
from idp.domain.identifiers import InstanceUuid
from idp.domain.mandates import (
    WHOLE_ORGANISATION,
    Branches,
    Coverage,
    Mandate,
    Need,
    Target,
    cover,
    in_scope,
    narrow,
    restriction,
)
from idp.domain.means import Held, considered, state_reasons
from idp.domain.objections import Matter, objection
from idp.domain.reasons import REASONS, Audience, Objection, Reason, in_order


@dataclass(frozen=True, slots=True)
class Asked:
    """What the service asks: itself, the level that counts, and whether it accepts chains (K-8)."""

    target: Target
    level: Level
    chains: bool


@dataclass(frozen=True, slots=True)
class Granted:
    """Allowed: the level reached (LOA-8), the branches that remain, and the mandate; None is the automatic one.

    ``used`` names every mandate that this login uses, the links of a chain included. ``services`` are those behind a
    portal that are allowed, and empty at a service of its own.
    """

    level: Level
    branches: Branches
    mandate: Mandate | None
    used: tuple[str, ...] = ()
    services: tuple[InstanceUuid, ...] = ()


@dataclass(frozen=True, slots=True)
class StepUp:
    """Nothing against it but a factor that this session has still to prove."""

    factor: Factor


@dataclass(frozen=True, slots=True)
class Refused:
    """Not allowed; every reason, in the order of RUL-5. ``factor`` is what was still to be proven."""

    objections: tuple[Objection, ...]
    factor: Factor | None = None

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """The reasons alone."""
        return tuple(one.reason for one in self.objections)

    def visible(self) -> tuple[Objection, ...]:
        """What may be shown now: after the password RUL-11's, all once the level's factors are proven."""
        if self.factor is None:
            return self.objections
        if self.factor is Factor.PASSWORD:
            return ()
        return tuple(one for one in self.objections if REASONS[one.reason].audience is Audience.AFTER_PASSWORD)


Decision = Granted | StepUp | Refused


@dataclass(frozen=True, slots=True)
class Option:
    """One way to act and what was decided about it."""

    held: Held
    decision: Decision

    @property
    def open(self) -> bool:
        """Worth going on with: granted, or a factor is to be proven before anything may be said (RUL-11)."""
        return not isinstance(self.decision, Refused) or not self.decision.visible()


def decide(asked: Asked, held: Held, factors: frozenset[Factor], today: date) -> Decision:
    """Judge one way to act against one service, on a Dutch calendar day.

    ``factors`` are those this session proved. Rules: F02, F04, F05, F07, LOA-8, RUL-5, RUL-7, RUL-8, RUL-14, RUL-15.
    """
    coverage, branches = _coverage(asked, held, today)
    reasons = set(state_reasons(held, today)) | coverage.reasons
    factor = missing_factor(asked.level, factors)
    if held.level < asked.level:
        reasons.add(Reason.LEVEL_TOO_LOW)
    if factor is Factor.OTP and Factor.OTP not in held.factors:
        reasons.add(Reason.NO_RESPONDER)
    if factor is Factor.CERTIFICATE and Factor.CERTIFICATE not in held.factors:
        reasons.add(Reason.CERTIFICATE_REFUSED)
    if reasons:
        matter = Matter(asked.target, asked.level, held, today)
        return Refused(tuple(objection(reason, matter) for reason in in_order(reasons)), factor)
    if factor is not None:
        return StepUp(factor)
    return Granted(_level_reached(held, coverage.mandate, factors), branches, coverage.mandate, coverage.used)


def _coverage(asked: Asked, held: Held, today: date) -> tuple[Coverage, Branches]:
    """What covers this way to act, and the branches it leaves."""
    own = _own_coverage(asked, held, today)
    if not held.chain:
        branches = restriction(held.registration.branches, own.mandate.branches if own.mandate else WHOLE_ORGANISATION)
        return own, branches or WHOLE_ORGANISATION
    if not asked.chains or held.chain[-1].intermediary != held.registration.kvk:
        return Coverage(None, own.reasons | {Reason.NO_MANDATE}), WHOLE_ORGANISATION
    need = Need(asked.target, asked.level, held.level, WHOLE_ORGANISATION, today)
    client = narrow(held.chain, need)
    if own.mandate is None or client.mandate is None:
        return Coverage(None, _chain_reasons(own, client)), WHOLE_ORGANISATION
    level = min(own.mandate.level, client.mandate.level)
    joined = Coverage(replace(client.mandate, level=level), frozenset(), own.used + client.used)
    return joined, client.mandate.branches


def _chain_reasons(own: Coverage, client: Coverage) -> frozenset[Reason]:
    """What a chain has against a login; people are mandated for a client once its chain stands (K-5), not before."""
    if Reason.CHAIN_INCOMPLETE in client.reasons:
        return client.reasons | (own.reasons - {Reason.NO_MANDATE})
    return client.reasons | own.reasons


def _own_coverage(asked: Asked, held: Held, today: date) -> Coverage:
    """What the own organisation allows. As an intermediary nothing may be restricted: no message can say so (SR-7)."""
    target = replace(asked.target, takes_restriction=False) if held.chain else asked.target
    covered = cover(held.mandates, Need(target, asked.level, held.level, held.registration.branches, today))
    if asked.level is Level.EH1 and not held.chain and covered.mandate is None:
        covered = Coverage(None, frozenset())
    if held.registration.branch is not None and not target.takes_restriction:
        return Coverage(None, covered.reasons | {Reason.BRANCH_REGISTRATION})
    return covered


def _level_reached(held: Held, mandate: Mandate | None, factors: frozenset[Factor]) -> Level:
    """The lowest of what was proven, the means, and the mandate; an automatic mandate is one at EH1 (LOA-8, RUL-8)."""
    proven = proven_level(factors)
    return min(proven or held.level, held.level, mandate.level if mandate else Level.EH1)


def options(asked: Asked, held: Iterable[Held], factors: frozenset[Factor], today: date) -> tuple[Option, ...]:
    """Every way to act of an account with its decision; of chains those about this service (RUL-5, RUL-15)."""
    ways = considered(tuple(one for one in held if _speaks(asked, one)), today)
    return tuple(Option(one, decide(asked, one, factors, today)) for one in ways)


def _speaks(asked: Asked, held: Held) -> bool:
    """Whether a way to act concerns this service at all; only a chain can be about something else."""
    return not held.chain or (asked.chains and all(in_scope(link.mandate.scope, asked.target) for link in held.chain))


def refusal(found: tuple[Option, ...], factor: Factor | None) -> Refused:
    """The refusal of the option that got furthest, or NO_MEANS for an account without any (RUL-5)."""
    refused = [option.decision for option in found if isinstance(option.decision, Refused)]
    if not refused:
        return Refused((Objection(Reason.NO_MEANS, REASONS[Reason.NO_MEANS].remedies),), factor)
    return furthest(refused)


def furthest(refused: Sequence[Refused]) -> Refused:
    """Of at least one refusal the one whose first reason stands last, and of those the one with the fewest (RUL-5)."""
    return max(refused, key=lambda one: (one.reasons[0].order, -len(one.reasons)))
