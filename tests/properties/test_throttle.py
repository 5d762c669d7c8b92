"""Delays: whoever guesses, however fast and from whichever side the clock is set."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from idp.domain.throttle import Counter, Delayed, Limit, attempt, remaining

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
LIMITS = st.builds(
    Limit,
    attempts=st.integers(1, 6),
    window=st.integers(1, 3600).map(lambda count: timedelta(seconds=count)),
    delay=st.integers(1, 3600).map(lambda count: timedelta(seconds=count)),
    longest=st.integers(3600, 86400).map(lambda count: timedelta(seconds=count)),
)
PAUSES = st.lists(st.integers(0, 4000).map(lambda count: timedelta(seconds=count)), max_size=60)


@given(LIMITS, PAUSES)
def test_no_more_attempts_pass_than_the_limit_allows(limit: Limit, pauses: list[timedelta]) -> None:
    """RUL-20, SEC-28: in no window do more attempts pass than the limit and those after a delay that was waited for."""
    counter, now = Counter(), START
    passed: list[datetime] = []
    for pause in pauses:
        now += pause
        counted = attempt(counter, limit, now)
        if isinstance(counted, Delayed):
            assert now < counted.until <= now + limit.longest
            continue
        passed.append(now)
        counter = counted
        assert 0 <= remaining(counter, limit) < limit.attempts
        assert (remaining(counter, limit) == 0) == (counter.unlock_at is not None)
    for place in range(len(passed) - limit.attempts):
        run = passed[place : place + limit.attempts + 1]
        assert run[-1] - run[0] >= min(limit.delay, limit.window)


@given(LIMITS, st.lists(st.integers(-10_000_000, 10_000_000), max_size=40))
def test_nobody_ever_waits_longer_than_the_longest_delay(limit: Limit, moves: list[int]) -> None:
    """RUL-20, RUL-21: whatever was done before and wherever the clock was set meanwhile."""
    counter, now = Counter(), START
    for move in moves:
        now += timedelta(seconds=move)
        counted = attempt(counter, limit, now)
        if isinstance(counted, Delayed):
            assert counted.until - now <= limit.longest
        else:
            counter = counted


@given(LIMITS, st.integers(1, 100))
def test_rounds_only_rise_while_guessing_goes_on(limit: Limit, times: int) -> None:
    """O-6: whoever comes back at once after every delay waits longer each time, until the longest."""
    counter, now, waits = Counter(), START, []
    for _ in range(times):
        counted = attempt(counter, limit, now)
        if isinstance(counted, Delayed):
            now = counted.until
            continue
        counter = counted
        if counter.unlock_at is not None:
            waits.append(counter.unlock_at - now)
    assert waits == sorted(waits)
    assert all(wait <= limit.longest for wait in waits)
