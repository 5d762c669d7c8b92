"""A service that leads to others: the one question asked about each of them, and what the answers come to together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from idp.domain import decision
from idp.domain.assurance import Factor, Level
from idp.domain.decision import Asked, Decision, Granted, Option, Refused, StepUp, furthest
from idp.domain.identifiers import InstanceUuid
from idp.domain.mandates import WHOLE_ORGANISATION, restriction
from idp.domain.means import Held
from idp.domain.parties import Service


@dataclass(frozen=True, slots=True)
class Behind:
    """A service behind a portal, which may share its definition with the next one, and what is asked about it."""

    instance: InstanceUuid
    asked: Asked


@dataclass(frozen=True, slots=True)
class Portal:
    """What a portal asks: the questions of the services it leads to, all at the level of the login, in its order."""

    services: tuple[Behind, ...]


Question = Asked | Portal
Said = tuple[InstanceUuid, Decision]


def question(service: Service, led_to: Sequence[Service], level: Level) -> Question:
    """What a login at a service is judged by; ``led_to`` are the services behind it, of which a portal has some.

    A portal hears nothing that it does not take itself, restrictions and chains alike (SR-8, K-8), and nothing of a
    service that asks more than the login does.
    """
    if not service.portal_for:
        return Asked(service.target, level, service.chains)
    return Portal(tuple(_behind(service, one, level) for one in led_to if one.level <= level))


def _behind(portal: Service, service: Service, level: Level) -> Behind:
    restricts = portal.takes_restriction and service.takes_restriction
    target = replace(service.target, takes_restriction=restricts)
    return Behind(service.instance_uuid, Asked(target, level, portal.chains and service.chains))


def options(asked: Question, held: Iterable[Held], factors: frozenset[Factor], today: date) -> tuple[Option, ...]:
    """Every way to act of an account with its decision; at a portal what those about its services come to (domain 7.6).

    A way counts at a portal when it counts at any of its services.
    """
    if isinstance(asked, Asked):
        return decision.options(asked, held, factors, today)
    ways = tuple(held)
    said: dict[str, list[Said]] = {one.key: [] for one in ways}
    for one in asked.services:
        for option in decision.options(one.asked, ways, factors, today):
            said[option.held.key].append((one.instance, option.decision))
    return tuple(Option(one, _together(said[one.key])) for one in ways if said[one.key])


def decide(asked: Question, held: Held, factors: frozenset[Factor], today: date) -> Decision:
    """The decision about one way to act, whatever others there are; a portal leads to one service at least."""
    if isinstance(asked, Asked):
        return decision.decide(asked, held, factors, today)
    return _together([(one.instance, decision.decide(one.asked, held, factors, today)) for one in asked.services])


def _together(said: Sequence[Said]) -> Decision:
    """Allowed where one of them allows, else a factor is missing, else the refusal that got furthest (RUL-5).

    Its facts tell as ``behind`` how many services were looked at.
    """
    granted = [(service, one) for service, one in said if isinstance(one, Granted)]
    if granted:
        return _shared(granted)
    step_up = next((one for _, one in said if isinstance(one, StepUp)), None)
    if step_up is not None:
        return step_up
    refused = furthest([one for _, one in said if isinstance(one, Refused)])
    looked_at = {"behind": str(len(said))}
    return replace(refused, objections=tuple(replace(one, facts=one.facts | looked_at) for one in refused.objections))


def _shared(granted: Sequence[tuple[InstanceUuid, Granted]]) -> Granted:
    """What can be said in one answer: one restriction, which all its services share, and the lowest level (LOA-8).

    A service that shares no branch with those before it is left out, since no answer could name both (SR-9).
    """
    branches = WHOLE_ORGANISATION
    told: list[tuple[InstanceUuid, Granted]] = []
    for service, one in granted:
        left = restriction(branches, one.branches)
        if left is not None:
            branches = left
            told.append((service, one))
    return Granted(
        level=min(one.level for _, one in told),
        branches=branches,
        mandate=told[0][1].mandate,
        used=tuple(dict.fromkeys(mandate for _, one in told for mandate in one.used)),
        services=tuple(service for service, _ in told),
    )
