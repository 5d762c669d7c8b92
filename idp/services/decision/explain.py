"""What-if: the decision for an account at a service, as if every factor it has were proven (features C2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from idp.domain.assurance import SECOND_FACTOR, Factor, Level
from idp.domain.decision import Granted, Refused, refusal
from idp.domain.means import Held
from idp.domain.parties import Service, behind, by_name
from idp.domain.portal import options, question
from idp.domain.usernames import canonical
from idp.services.decision.conclusion import closed, dutch_day
from idp.services.work import Office
from idp.store.facts import ways_of
from idp.store.people import Account


class Several(Exception):
    """The name is that of a definition with several instances; the sentence says how to name one."""


@dataclass(frozen=True, slots=True)
class Explained:
    """One reason in words that a command can print."""

    code: str
    reason: str
    remedies: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer to a what-if."""

    granted: bool
    reasons: tuple[Explained, ...]


def all_factors(level: Level, held: Sequence[Held]) -> frozenset[Factor]:
    """What an account can prove for a level when it proves all it has."""
    second = SECOND_FACTOR.get(level)
    has = {second} if second is not None and any(second in one.factors for one in held) else set()
    return frozenset({Factor.PASSWORD} | has)


def explain(office: Office, username: str, service_name: str) -> Explanation | None:
    """The decision for an account at a service of the catalogue; None when either is unknown.

    Raises ``Several`` where the name leaves open which one is meant.
    """
    service = find_service(office, service_name)
    query = select(Account.id).where(Account.username == (canonical(username) or ""))
    with office.reading() as connection:
        account = connection.execute(query).scalar_one_or_none()
        if account is None or service is None:
            return None
        held = [way.held for way in ways_of(connection, account)]
    if shut := closed(office.settings, service.level):
        return Explanation(False, _explained(shut))
    asked = question(service, behind(service, office.directory.services()), service.level)
    found = options(asked, held, all_factors(service.level, held), dutch_day(office.clock.now()))
    if any(isinstance(one.decision, Granted) for one in found):
        return Explanation(True, ())
    return Explanation(False, _explained(refusal(found, None)))


@dataclass(frozen=True, slots=True)
class Reach:
    """Whether an account is let in at a service, for how many organisations, and what refuses it otherwise."""

    service: Service
    organisations: int
    refused: Refused | None


def reach(office: Office, account: str) -> list[Reach]:
    """The decision at every public service, as a login with everything the account has would come out.

    Instances that one provider has of a definition, and that are decided alike, are one service to people.
    """
    with office.reading() as connection:
        held = [way.held for way in ways_of(connection, account)]
    today = dutch_day(office.clock.now())
    services = office.directory.services()
    told = {(one.uuid, one.provider.oin, one.chains, one.portal_for): one for one in services if one.public}
    return [
        Reach(one, 0, shut)
        if (shut := closed(office.settings, one.level))
        else _reach(one, behind(one, services), held, today)
        for one in told.values()
    ]


def _reach(service: Service, led_to: Sequence[Service], held: Sequence[Held], today: date) -> Reach:
    found = options(question(service, led_to, service.level), held, all_factors(service.level, held), today)
    granted = sum(isinstance(one.decision, Granted) for one in found)
    return Reach(service, granted, None if granted else refusal(found, None))


def find_service(office: Office, name: str) -> Service | None:
    """A service by its name in the catalogue, its ServiceID or a UUID; raises ``Several``."""
    known = {called.casefold(): found for called, found in by_name(office.directory.services()).items()}
    found = known.get(name.casefold(), ())
    if len(found) > 1:
        raise Several(f"{name} is the UUID of several services; name one of {', '.join(one.slug for one in found)}.")
    return found[0] if found else None


def _explained(refused: Refused) -> tuple[Explained, ...]:
    return tuple(Explained(one.reason.code, one.reason.value, " ".join(one.remedies)) for one in refused.objections)
