"""Counting attempts before they are checked, and giving them back on success (RUL-20, SEC-28)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, select

from idp.domain.throttle import Counter, Delayed, Limit, attempt, remaining
from idp.services.work import Office, Work
from idp.store.merge import renew
from idp.store.prepared import Prepared
from idp.store.tickets import CounterRow

_READ = Prepared(
    select(CounterRow.count.label("attempts"), CounterRow.rounds, CounterRow.since, CounterRow.unlock_at)
    .where(CounterRow.key == bindparam("key"))
    .with_for_update()
)
_WRITE = renew(CounterRow, ("key",), ("count", "rounds", "since", "unlock_at"))
_FORGET = Prepared(delete(CounterRow).where(CounterRow.key == bindparam("key")))


@dataclass(frozen=True, slots=True)
class Allowed:
    """The attempt may go on; ``left`` is how many more this account has, None when they are not counted."""

    left: int | None
    keys: tuple[str, ...]


def ask(office: Office, kind: str, subject: str, source: str) -> Allowed | datetime:
    """Count an attempt for an account or name, its source, and all together; or say until when to wait.

    ``subject`` may be a name that does not exist: it is treated alike. Only digests are stored.
    """
    limits = _limits(office, kind, subject, source)
    left: int | None = None
    with office.work("throttle") as work:
        for key, limit in limits.items():
            counted = attempt(_read(work, key), limit, work.now)
            if isinstance(counted, Delayed):
                return counted.until
            _write(work, key, counted)
            left = remaining(counted, limit) if left is None else left
    return Allowed(left, tuple(limits))


def give_back(work: Work, allowed: Allowed) -> None:
    """Forget the attempts after a success: of the account wholly, of what it shares with others by one."""
    for place, key in enumerate(allowed.keys):
        counter = _read(work, key)
        if place == 0:
            _FORGET.run(work.connection, key=key)
        elif counter.since is not None and counter.count:
            _write(work, key, Counter(counter.count - 1, counter.rounds, counter.since, counter.unlock_at))


def _limits(office: Office, kind: str, subject: str, source: str) -> dict[str, Limit]:
    """The limits by key, the one of this subject from this source first; a limit of 0 attempts is off.

    Only the first grows long: nobody but the guesser pays for it. The others slow down for seconds, so that a
    stranger who guesses from many places delays a person but cannot lock them out (RUL-20).
    """
    rules = office.settings.throttle
    window, delay = timedelta(minutes=rules.window_minutes), timedelta(seconds=rules.delay_seconds)
    long, brief = timedelta(minutes=rules.longest_minutes), timedelta(seconds=rules.delay_seconds)
    named = (
        (f"{kind}:{subject}@{source}", Limit(rules.account_attempts, window, delay, long)),
        (f"{kind}:{subject}", Limit(rules.account_attempts * 10, window, delay, brief)),
        (f"{kind}@{source}", Limit(rules.source_attempts, window, delay, window)),
        (f"{kind}*", Limit(rules.global_attempts, window, delay / 10, delay / 10)),
    )
    return {office.vault.digest(name, "throttle"): limit for name, limit in named if limit.attempts}


def _read(work: Work, key: str) -> Counter:
    row = _READ.one(work.connection, key=key)
    return Counter() if row is None else Counter(row.attempts, row.rounds, row.since, row.unlock_at)


def _write(work: Work, key: str, counter: Counter) -> None:
    values = {
        "key": key,
        "count": counter.count,
        "rounds": counter.rounds,
        "since": counter.since or work.now,
        "unlock_at": counter.unlock_at,
    }
    _WRITE.run(work.connection, **values)
