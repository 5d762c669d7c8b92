"""Counting attempts before they are checked, and giving them back on success (RUL-20, SEC-28)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, update

from idp.domain.throttle import Counter, Delayed, Limit, attempt, remaining
from idp.services.work import Office, Work
from idp.store.merge import hold, renew
from idp.store.prepared import Prepared
from idp.store.tickets import CounterRow

_HOLD = hold(CounterRow, "key")
_WRITE = renew(CounterRow, ("key",), ("count", "rounds", "since", "unlock_at"))
_LESS = Prepared(
    update(CounterRow)
    .where(CounterRow.key == bindparam("key"), CounterRow.count > 0)
    .values(count=CounterRow.count - 1)
)
_FORGET = Prepared(delete(CounterRow).where(CounterRow.key == bindparam("key")))


@dataclass(frozen=True, slots=True)
class Allowed:
    """The attempt may go on; ``left`` is how many more this account has, None when they are not counted."""

    left: int | None
    keys: tuple[str, ...]


def ask(work: Work, kind: str, subject: str, source: str) -> Allowed | datetime:
    """Count an attempt for an account or name, its source, and all together; or say until when to wait.

    ``subject`` may be a name that does not exist: it is treated alike. Only digests are stored. Whoever asks commits
    before checking what was attempted.
    """
    limits = _limits(work.office, kind, subject, source)
    # In one order for everyone, so that two attempts never wait for each other.
    counters = {key: _locked(work, key) for key in sorted(limits)}
    counted = {key: attempt(counters[key], limit, work.now) for key, limit in limits.items()}
    delays = [one.until for one in counted.values() if isinstance(one, Delayed)]
    if delays:
        # Nothing is counted for an attempt that is not made.
        return max(delays)
    kept = {key: one for key, one in counted.items() if isinstance(one, Counter)}
    for key, counter in kept.items():
        _write(work, key, counter)
    left = next((remaining(counter, limits[key]) for key, counter in kept.items()), None)
    return Allowed(left, tuple(limits))


def give_back(work: Work, allowed: Allowed) -> None:
    """Forget the attempts after a success: of the account wholly, of what it shares with others by one."""
    # In the order in which attempts lock them, or a success and an attempt could wait for each other.
    for key in sorted(allowed.keys):
        (_FORGET if key == allowed.keys[0] else _LESS).run(work.connection, key=key)


def take_back(work: Work, allowed: Allowed) -> None:
    """Take one attempt back that was counted and then not made."""
    for key in sorted(allowed.keys):
        _LESS.run(work.connection, key=key)


def forget(work: Work, kind: str, subject: str, source: str) -> None:
    """Forget the attempts for an account or name, from this source and from everywhere."""
    names = (f"{kind}:{subject}", f"{kind}:{subject}@{source}")
    for key in sorted(work.office.vault.digest(name, "throttle") for name in names):
        _FORGET.run(work.connection, key=key)


def within(work: Work, name: str, limit: Limit) -> bool:
    """Count something that is not an attempt to prove anything; answers whether it is still within a limit."""
    key = work.office.vault.digest(name, "throttle")
    counted = attempt(_locked(work, key), limit, work.now)
    if isinstance(counted, Counter):
        _write(work, key, counted)
    return isinstance(counted, Counter)


def take_turn(work: Work, name: str) -> None:
    """Let all who come with this name wait for each other, each until the transaction of the one before has ended.

    Taken before anything else is locked, so that two who change the same things never wait for one another.
    """
    _locked(work, work.office.vault.digest(name, "throttle"))


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


def _locked(work: Work, key: str) -> Counter:
    """The counter of a key, its row made where it is new: a row that is absent cannot be locked (SEC-28)."""
    row: Any = _HOLD.one(work.connection, key=key, count=0, rounds=0, since=work.now, unlock_at=None)
    return Counter(row.count, row.rounds, row.since, row.unlock_at)


def _write(work: Work, key: str, counter: Counter) -> None:
    values = {
        "key": key,
        "count": counter.count,
        "rounds": counter.rounds,
        "since": counter.since or work.now,
        "unlock_at": counter.unlock_at,
    }
    _WRITE.run(work.connection, **values)
