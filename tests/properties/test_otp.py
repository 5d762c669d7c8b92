"""A responder, a person with a clock that wanders, and a thief who saw every code: whatever they do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from idp.domain.otp import (
    Accepted,
    Algorithm,
    ResponderState,
    Windows,
    Wrong,
    expected_step,
    judge,
    resynchronise,
    well_formed,
)

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
WINDOWS = Windows()


def code_at(step: int) -> str:
    """A device whose code is its step: whoever shows a code, shows which step it is of."""
    return f"{step % 10**8:08}"


class Responder(RuleBasedStateMachine):
    """Our record of a responder, moved only by what judge() and resynchronise() accept."""

    @initialize(algorithm=st.sampled_from(Algorithm))
    def begin(self, algorithm: Algorithm) -> None:
        """A new responder, never used."""
        self.now = START
        self.state = ResponderState(algorithm, 8, 30, last_step=-1, drift=0)
        self.device_ahead = 0
        self.presses = 0
        self.spent: set[int] = set()
        self.shown: list[int] = [0]

    def device_step(self) -> int:
        """The step that the device shows now."""
        if self.state.algorithm is Algorithm.HOTP:
            return self.presses
        return int(self.now.timestamp()) // 30 + self.device_ahead

    def record(self, found: Accepted | Wrong, steps: tuple[int, ...]) -> None:
        """Write down what was accepted, as the caller's conditional statement does."""
        if isinstance(found, Accepted):
            assert not self.spent & set(steps), "a code was accepted twice"
            assert found.step == steps[-1]
            assert found.step > self.state.last_step
            self.spent |= set(steps)
            self.state = replace(self.state, last_step=found.step, drift=found.drift)

    @rule(seconds=st.integers(0, 200))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.now += timedelta(seconds=seconds)

    @rule(seconds=st.integers(1, 100_000))
    def go_back(self, seconds: int) -> None:
        """Our clock is set back."""
        self.now -= timedelta(seconds=seconds)

    @rule(steps=st.integers(-3, 3))
    def wander(self, steps: int) -> None:
        """The device's own clock wanders, or its button is pressed idly."""
        self.device_ahead += steps
        self.presses += abs(steps)

    @rule()
    def type_code(self) -> None:
        """The person types what the device shows."""
        step = self.device_step()
        self.shown.append(step)
        before = self.state
        found = judge(self.state, code_at(step), code_at, self.now, WINDOWS)
        near = step - expected_step(before, self.now)
        within = 0 <= near <= 10 if before.algorithm is Algorithm.HOTP else -1 <= near <= 1
        assert isinstance(found, Accepted) == (within and step > before.last_step)
        self.record(found, (step,))
        self.presses += 1

    @rule()
    def type_two_codes(self) -> None:
        """The person types two codes in a row, as the page asks when the clocks are apart."""
        step = self.device_step()
        self.shown += [step, step + 1]
        found = resynchronise(self.state, (code_at(step), code_at(step + 1)), code_at, self.now, WINDOWS)
        self.record(found, (step, step + 1))
        self.presses += 2

    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        """A thief types a code seen before, alone or with the next."""
        step = data.draw(st.sampled_from(self.shown))
        found = judge(self.state, code_at(step), code_at, self.now, WINDOWS)
        if step <= self.state.last_step:
            assert not isinstance(found, Accepted)
        self.record(found, (step,))

    @rule(code=st.text(max_size=9))
    def type_nonsense(self, code: str) -> None:
        """Somebody types anything at all."""
        found = judge(self.state, code, code_at, self.now, WINDOWS)
        if not well_formed(code, 8):
            assert found is Wrong.MALFORMED
        elif isinstance(found, Accepted):
            self.record(found, (found.step,))

    @invariant()
    def the_floor_only_rises(self) -> None:
        """SEC-26: the record is the highest step ever accepted."""
        if self.spent:
            assert self.state.last_step == max(self.spent)


TestResponder = Responder.TestCase
TestResponder.settings = settings(max_examples=80, stateful_step_count=30)


STATES = st.builds(
    ResponderState,
    st.sampled_from(Algorithm),
    st.just(8),
    st.sampled_from([30, 60]),
    st.integers(-1, 70_000_000),
    st.integers(-40, 40),
)


@given(STATES, st.integers(0, 2**31), st.integers(-60, 60))
def test_a_code_is_accepted_only_above_the_floor_and_inside_the_window(state, seconds, off) -> None:
    """SEC-26, O-5: and drift follows exactly the step that was accepted."""
    now = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    step = max(expected_step(state, now) + off, 0)
    found = judge(state, code_at(step), code_at, now, WINDOWS)
    if isinstance(found, Accepted):
        assert found.step == step > state.last_step
        later = replace(state, last_step=found.step, drift=found.drift)
        assert judge(later, code_at(step), code_at, now, WINDOWS) is Wrong.USED
        if state.algorithm is Algorithm.TOTP:
            assert expected_step(later, now) == step


@given(STATES, st.text(alphabet="0123456789", min_size=8, max_size=8), st.integers(0, 2**31))
def test_how_often_a_device_is_asked_is_bounded(state, code, seconds) -> None:
    """Whatever the state and the clock, one code costs at most some dozens of computations."""
    asked: list[int] = []

    def device(step: int) -> str:
        asked.append(step)
        return code_at(step)

    judge(state, code, device, datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds), WINDOWS)
    assert len(asked) <= 60
    assert all(step >= 0 for step in asked)
