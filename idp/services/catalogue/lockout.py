"""Who would be locked out: everybody judged by the present catalogue and by a changed one (F06, RUL-43)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from idp.domain.assertion import LegalSubject
from idp.domain.decision import Decision, Granted, Refused
from idp.domain.means import Held
from idp.domain.naming import names_of
from idp.domain.parties import Service
from idp.domain.portal import Question, decide, options, question
from idp.domain.reasons import Reason
from idp.services.catalogue.changes import Change
from idp.services.decision.explain import all_factors
from idp.store.facts import Way, every_way

ENTITY_TYPE = ("P15", "ENTITY_TYPE")
"""Code and name of what is no refusal of the decision: no set of entity types can be delivered (EC-4)."""
_REPORT_EVERY = 10_000
# Who is refused for these alone uses the service, and until a date may do so by another route (F06).
_NOT_READY = frozenset(
    {
        Reason.LEVEL_TOO_LOW,
        Reason.NO_RESPONDER,
        Reason.CERTIFICATE_REFUSED,
        Reason.BRANCH_REGISTRATION,
        Reason.OTHER_BRANCH,
        Reason.MANDATE_EXPIRED,
        Reason.MANDATE_DORMANT,
        Reason.MANDATE_LEVEL_TOO_LOW,
        Reason.CHAIN_INCOMPLETE,
    }
)
Progress = Callable[[int, int], None]
Reasons = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class LockedOut:
    """Somebody who could act for an organisation at a service, and could not any more on ``day``.

    ``reasons`` are codes with their names, the first counts; ``by_date`` tells that only the date of enforcement takes
    another route away; ``entirely`` that no other organisation is left to act for at the service.
    """

    username: str
    organisation: LegalSubject
    service: Service
    day: date
    reasons: tuple[tuple[str, str], ...]
    by_date: bool
    entirely: bool


def locked_out(
    connection: Connection, changes: Sequence[Change], today: date, progress: Progress
) -> Iterator[LockedOut]:
    """Everybody whom the changes lock out, in the order of accounts, as they are found.

    A change with a date is judged on that day, all others today; both catalogues on the same day, so that nobody is
    listed for what ends by itself. ``progress`` hears, now and then, how many were judged and found.
    """
    concerned = [one for one in changes if _decides(one, today)]
    judged = found = 0
    for accounts, holdings in every_way(connection) if concerned else ():
        for username, ways in holdings:
            for change in concerned:
                for one in _lost(change, username, ways, today):
                    found += 1
                    yield one
        if (judged + accounts) // _REPORT_EVERY > judged // _REPORT_EVERY:
            progress(judged + accounts, found)
        judged += accounts


def announced(change: Change, today: date) -> bool:
    """Whether the change sets a date of enforcement that is still to come."""
    before = None if change.before is None else change.before.announced(today)
    return change.after.announced(today) not in (None, before)


def _decides(change: Change, today: date) -> bool:
    """Whether a change can lock anybody out: only some facts of a service count in a decision."""
    if change.before is None or announced(change, today):
        return announced(change, today)
    return _counting(change.before) != _counting(change.after)


def _counting(service: Service) -> tuple[object, ...]:
    return (service.target, service.level, service.chains, service.entity_types, service.portal_for)


def _lost(change: Change, username: str, ways: Sequence[Way], today: date) -> list[LockedOut]:
    day = max(today, change.after.enforced_from or today)
    asked = _asked(change.after, change.led_to[1])
    new = _verdicts(change.after, asked, ways, day)
    old = {} if change.before is None else _verdicts(change.before, _asked(change.before, change.led_to[0]), ways, day)
    waiting = announced(change, today)
    open_still = any(not reasons for reasons in new.values())
    lost = []
    for way in ways:
        key = way.held.key
        could = old.get(key) == ()
        by_date = waiting and not could and _not_ready(new.get(key, ()))
        if could or by_date:
            # A chain that is no choice any more has no verdict, but its reasons.
            reasons = new[key] if key in new else _judged(change.after, asked, (way, ways), day)
            if reasons:
                lost.append(LockedOut(username, way.principal, change.after, day, reasons, by_date, not open_still))
    return lost


def _verdicts(service: Service, asked: Question, ways: Sequence[Way], day: date) -> dict[str, Reasons]:
    """What each way to act that counts is refused for at a service, nothing when it is granted."""
    held = [way.held for way in ways]
    by_key = {way.held.key: way for way in ways}
    found = options(asked, held, all_factors(service.level, held), day)
    return {one.held.key: _reasons(service, by_key[one.held.key], one.decision) for one in found}


def _judged(service: Service, asked: Question, acting: tuple[Way, Sequence[Way]], day: date) -> Reasons:
    """What one way to act of an account is refused for, with every factor that the account has."""
    way, ways = acting
    held: list[Held] = [one.held for one in ways]
    return _reasons(service, way, decide(asked, way.held, all_factors(service.level, held), day))


def _asked(service: Service, led_to: Sequence[Service]) -> Question:
    return question(service, led_to, service.level)


def _reasons(service: Service, way: Way, decision: Decision) -> Reasons:
    if isinstance(decision, Refused):
        return tuple((reason.code, reason.value) for reason in decision.reasons)
    return () if isinstance(decision, Granted) and names_of(service, way.principal) else (ENTITY_TYPE,)


def _not_ready(reasons: Sequence[tuple[str, str]]) -> bool:
    names = {name for _, name in reasons}
    return bool(names) and names <= {*_NOT_READY, ENTITY_TYPE[1]}
