"""Delays after failures, row by row."""

from datetime import UTC, datetime, timedelta

import pytest

from idp.domain.throttle import Counter, Delayed, Limit, attempt, remaining

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LIMIT = Limit(attempts=3, window=15 * MINUTE, delay=10 * MINUTE, longest=60 * MINUTE)


def failed(times: int, now: datetime = NOON, counter: Counter | None = None) -> Counter:
    """The counter after some attempts at one instant, none of them given back."""
    counter = counter or Counter()
    for _ in range(times):
        counted = attempt(counter, LIMIT, now)
        assert isinstance(counted, Counter)
        counter = counted
    return counter


def test_attempts_below_the_limit_only_count() -> None:
    """RUL-20: nobody waits, and the person may be told how many tries are left."""
    assert failed(1) == Counter(1, 0, NOON, None)
    assert failed(2) == Counter(2, 0, NOON, None)
    assert [remaining(failed(times), LIMIT) for times in (1, 2, 3)] == [2, 1, 0]
    assert remaining(Counter(7, 0, NOON, None), LIMIT) == 0


def test_the_attempt_at_the_limit_is_the_last_before_a_delay() -> None:
    """O-6: it may still be tried, but whatever comes of it the next one waits."""
    assert failed(3) == Counter(0, 1, NOON, NOON + 10 * MINUTE)
    for wait in (timedelta(0), 10 * MINUTE - timedelta(seconds=1)):
        assert attempt(failed(3), LIMIT, NOON + wait) == Delayed(NOON + 10 * MINUTE)
    assert isinstance(attempt(failed(3), LIMIT, NOON + 10 * MINUTE), Counter)


def test_each_further_round_waits_twice_as_long_up_to_the_longest() -> None:
    """O-6: ten minutes, twenty, forty, an hour, an hour."""
    counter, now, waits = Counter(), NOON, []
    for _ in range(5):
        counter = failed(3, now, counter)
        assert counter.unlock_at is not None
        waits.append((counter.unlock_at - now) / MINUTE)
        now = counter.unlock_at
    assert waits == [10, 20, 40, 60, 60]


def test_the_longest_delay_holds_however_many_rounds_were_lost() -> None:
    """RUL-20: and arithmetic does not overflow."""
    counter = failed(3, NOON, Counter(0, 10_000, NOON, None))
    assert counter.unlock_at == NOON + 60 * MINUTE
    assert counter.rounds == 10_001


def test_rounds_double_twenty_times_at_most() -> None:
    """O-6: the doubling itself is bounded, before the longest delay is."""
    endless = Limit(1, MINUTE, timedelta(microseconds=1), timedelta(days=365))
    waits = []
    for rounds in (19, 20, 21):
        counted = attempt(Counter(0, rounds, NOON, None), endless, NOON)
        assert isinstance(counted, Counter)
        assert counted.unlock_at is not None
        waits.append(counted.unlock_at - NOON)
    assert waits == [timedelta(microseconds=2**19), timedelta(microseconds=2**20), timedelta(microseconds=2**20)]


def test_a_new_window_forgets_the_attempts_but_not_the_rounds() -> None:
    """O-6: within the window they add up, after it they do not."""
    counter = failed(2)
    assert failed(1, NOON + 15 * MINUTE, counter).unlock_at is not None
    late = NOON + 15 * MINUTE + timedelta(seconds=1)
    assert failed(1, late, counter) == Counter(1, 0, late, None)
    lost = Counter(0, 2, NOON, NOON + 20 * MINUTE)
    assert failed(1, NOON + 20 * MINUTE, lost) == Counter(1, 2, NOON + 20 * MINUTE, None)


def test_rounds_are_forgotten_after_the_longest_delay_and_a_window_without_failure() -> None:
    """RUL-20: nobody pays for last week."""
    lost = Counter(2, 3, NOON, None)
    at_last = NOON + 75 * MINUTE
    assert failed(1, at_last, lost) == Counter(1, 3, at_last, None)
    after = at_last + timedelta(seconds=1)
    assert failed(1, after, lost) == Counter(1, 0, after, None)


def test_a_clock_that_went_back_locks_nobody_out_and_forgives_no_round() -> None:
    """RUL-21, SEC-41: the running delay ends, what was counted stays counted."""
    before = NOON - timedelta(days=365)
    delayed = failed(3)
    assert attempt(delayed, LIMIT, before) == Counter(1, 1, before, None)
    counting = failed(2)
    assert attempt(counting, LIMIT, before) == Counter(0, 1, before, before + 10 * MINUTE)


@pytest.mark.parametrize("attempts", [1, 2, 5])
def test_the_limit_is_a_setting(attempts: int) -> None:
    """RUL-20: so many attempts, no more and no fewer."""
    limit = Limit(attempts, 15 * MINUTE, MINUTE, 60 * MINUTE)
    counter: Counter | Delayed = Counter()
    for _ in range(attempts):
        assert isinstance(counter, Counter)
        counter = attempt(counter, limit, NOON)
    assert counter == Counter(0, 1, NOON, NOON + MINUTE)
