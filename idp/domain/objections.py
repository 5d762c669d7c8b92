"""What is said about a refusal: the remedies that would work here, and the facts its text needs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from idp.domain.assurance import Level
from idp.domain.mandates import Mandate, Target, dormant, in_scope
from idp.domain.means import Held
from idp.domain.reasons import REASONS, Objection, Reason, Remedy


@dataclass(frozen=True, slots=True)
class Matter:
    """What was judged: a way to act, at a service that asks a level, on a day."""

    target: Target
    level: Level
    held: Held
    today: date

    def spoken(self) -> Iterator[Mandate]:
        """Every mandate about the service, the own ones and those of the chain."""
        every = (*self.held.mandates, *(link.mandate for link in self.held.chain))
        return (mandate for mandate in every if in_scope(mandate.scope, self.target))


def objection(reason: Reason, matter: Matter) -> Objection:
    """One reason with remedies that are true of this matter, and its facts (features D.3).

    Facts are levels as labels, days in ISO 8601 (``until``, ``from``, ``last_used``), and as ``missing`` the halves
    of a chain that are not confirmed (``principal``, ``intermediary``, or both).
    """
    facts = {"asked": matter.level.label, "held": matter.held.level.label}
    if reason in _FACTS:
        facts |= _FACTS[reason](matter)
    return Objection(reason, _remedies(reason, matter.held), facts)


def _remedies(reason: Reason, held: Held) -> tuple[Remedy, ...]:
    """Converting for an organisation with exactly one branch, another means for one with more (F05, F24, F25).

    Neither helps where only the mandate is limited; that is for the manager to widen.
    """
    if reason is not Reason.BRANCH_REGISTRATION:
        return REASONS[reason].remedies
    if held.registration.branch is None:
        return (Remedy.ASK_MANAGER,)
    return (Remedy.CONVERT_TO_MAIN,) if held.open_branches == 1 else (Remedy.APPLY_FOR_MAIN,)


def _gap(matter: Matter) -> dict[str, str]:
    return {"from": matter.held.upgrade_gap_until.isoformat()} if matter.held.upgrade_gap_until else {}


def _term(matter: Matter) -> dict[str, str]:
    return {"until": matter.held.valid_until.isoformat()}


def _last_day(matter: Matter) -> dict[str, str]:
    over = [mandate.valid_until for mandate in matter.spoken() if mandate.valid_until < matter.today]
    return {"until": max(over).isoformat()}


def _last_use(matter: Matter) -> dict[str, str]:
    asleep = [mandate.last_used for mandate in matter.spoken() if dormant(mandate, matter.today)]
    return {"last_used": max(asleep).isoformat()}


def _mandate_level(matter: Matter) -> dict[str, str]:
    return {"mandate": max(mandate.level for mandate in matter.spoken() if mandate.level < matter.level).label}


def _missing_half(matter: Matter) -> dict[str, str]:
    halves = {
        "principal": all(link.principal_confirmed for link in matter.held.chain),
        "intermediary": all(link.intermediary_confirmed for link in matter.held.chain),
    }
    return {"missing": " ".join(half for half, confirmed in halves.items() if not confirmed)}


_FACTS: dict[Reason, Callable[[Matter], dict[str, str]]] = {
    Reason.UPGRADE_IN_PROGRESS: _gap,
    Reason.MEANS_EXPIRED: _term,
    Reason.MANDATE_EXPIRED: _last_day,
    Reason.MANDATE_DORMANT: _last_use,
    Reason.MANDATE_LEVEL_TOO_LOW: _mandate_level,
    Reason.CHAIN_INCOMPLETE: _missing_half,
}
