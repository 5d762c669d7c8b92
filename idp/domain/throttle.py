"""Delays after failures, as a state machine that a stranger cannot turn into a lock (RUL-20, O-6).

    OPEN --failure--> OPEN            below the limit of the window
    OPEN --failure--> DELAYED         at the limit: wait, doubling with every further round
    DELAYED --time--> OPEN            the delay is over
    any --success--> OPEN             the attempt is given back

An attempt is counted before it is checked, so that simultaneous guesses cannot pass together (SEC-28).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Limit:
    """So many attempts in a window; then a delay that doubles with each further round up to a longest."""

    attempts: int
    window: timedelta
    delay: timedelta
    longest: timedelta


@dataclass(frozen=True, slots=True)
class Counter:
    """What is remembered of one key: attempts in this window, when it began, and the rounds lost before."""

    count: int = 0
    rounds: int = 0
    since: datetime | None = None
    unlock_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Delayed:
    """Not now; ask again at this instant."""

    until: datetime


def attempt(counter: Counter, limit: Limit, now: datetime) -> Counter | Delayed:
    """Count one attempt ahead of its check, or say until when to wait."""
    if counter.since is not None and now < counter.since:
        # The clock went back: attempts and rounds stay counted, but nobody waits for an instant years ahead (RUL-21).
        counter = Counter(counter.count, counter.rounds, now, None)
    if counter.unlock_at is not None and now < counter.unlock_at:
        return Delayed(counter.unlock_at)
    counter = _refreshed(counter, limit, now)
    count = counter.count + 1
    if count < limit.attempts:
        return Counter(count, counter.rounds, counter.since, None)
    wait = min(limit.delay * 2 ** min(counter.rounds, 20), limit.longest)
    return Counter(0, counter.rounds + 1, now, now + wait)


def remaining(counter: Counter, limit: Limit) -> int:
    """How many attempts are left before a delay, after ``attempt`` counted one."""
    return 0 if counter.unlock_at is not None else max(limit.attempts - counter.count, 0)


def _refreshed(counter: Counter, limit: Limit, now: datetime) -> Counter:
    """A new window after the old one; lost rounds are forgotten after the longest delay without a failure."""
    if counter.since is None or now - counter.since > limit.longest + limit.window:
        return Counter(0, 0, now, None)
    if now - counter.since > limit.window:
        return Counter(0, counter.rounds, now, None)
    return counter
