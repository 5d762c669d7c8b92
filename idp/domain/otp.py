"""One-time codes of a personal responder: windows, drift, resynchronisation and replay, as arithmetic over steps."""

import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

CodeAt = Callable[[int], str]


class Algorithm(StrEnum):
    """How a responder counts: by time (RFC 6238) or by presses (RFC 4226)."""

    TOTP = "totp"
    HOTP = "hotp"


@dataclass(frozen=True, slots=True)
class ResponderState:
    """What is known of a responder's counter; ``last_step`` is the highest step ever accepted, -1 before the first.

    ``drift`` is how many steps the device's clock runs ahead of ours; ``period`` is in seconds.
    """

    algorithm: Algorithm
    digits: int
    period: int
    last_step: int
    drift: int


@dataclass(frozen=True, slots=True)
class Windows:
    """How far from the expected step a code may lie: plainly, ahead for HOTP, and with a second code (O-5)."""

    totp: int = 1
    hotp: int = 10
    resync: int = 20


@dataclass(frozen=True, slots=True)
class Accepted:
    """The code is right: record this step and this drift."""

    step: int
    drift: int


class Wrong(StrEnum):
    """Why a code is not accepted; the person is told only of the last two (RUL-19)."""

    MALFORMED = "malformed"
    MISMATCH = "mismatch"
    USED = "used"
    OUT_OF_STEP = "out_of_step"


def expected_step(state: ResponderState, now: datetime) -> int:
    """The step a faultless device shows now."""
    if state.algorithm is Algorithm.HOTP:
        return state.last_step + 1
    return int(now.timestamp()) // state.period + state.drift


def judge(state: ResponderState, code: str, code_at: CodeAt, now: datetime, windows: Windows) -> Accepted | Wrong:
    """Judge one code (SEC-26, O-5): accepted only at a step greater than any accepted before.

    The caller records the step with a conditional statement, so that of two equal codes one loses.
    """
    if not well_formed(code, state.digits):
        return Wrong.MALFORMED
    centre = expected_step(state, now)
    near = _first_match(code, code_at, _fresh(state, _near(state, centre, windows)))
    if near is not None:
        return Accepted(near, _drift(state, near, centre))
    if _first_match(code, code_at, _spent(state, centre, windows)) is not None:
        return Wrong.USED
    wide = _first_match(code, code_at, _fresh(state, _wide(centre, windows)))
    return Wrong.MISMATCH if wide is None else Wrong.OUT_OF_STEP


def step_shown(state: ResponderState, code: str, code_at: CodeAt, now: datetime, windows: Windows) -> int | None:
    """The step at which a device that is out of step shows a code that was not spent (L06)."""
    return _first_match(code, code_at, _fresh(state, _wide(expected_step(state, now), windows)))


def resynchronise(
    state: ResponderState, codes: tuple[str, str], code_at: CodeAt, now: datetime, windows: Windows
) -> Accepted | Wrong:
    """Judge two consecutive codes within the wide window; the step recorded is the second's (L06)."""
    if not all(well_formed(code, state.digits) for code in codes):
        return Wrong.MALFORMED
    centre = expected_step(state, now)
    for step in _fresh(state, _wide(centre, windows)):
        if _same(code_at(step), codes[0]) and _same(code_at(step + 1), codes[1]):
            return Accepted(step + 1, _drift(state, step + 1, centre))
    return Wrong.MISMATCH


def well_formed(code: str, digits: int) -> bool:
    """ASCII digits of the responder's length, before any library sees them (SEC-5)."""
    return len(code) == digits and code.isascii() and code.isdecimal()


def _drift(state: ResponderState, step: int, centre: int) -> int:
    return 0 if state.algorithm is Algorithm.HOTP else state.drift + step - centre


def _fresh(state: ResponderState, steps: Iterable[int]) -> list[int]:
    """The steps whose code was not spent: greater than any accepted before (SEC-26)."""
    return [step for step in steps if step > state.last_step]


def _near(state: ResponderState, centre: int, windows: Windows) -> list[int]:
    """Steps at which a code is plainly right, nearest first so that drift moves least."""
    if state.algorithm is Algorithm.HOTP:
        return list(range(centre, centre + windows.hotp + 1))
    around = range(centre - windows.totp, centre + windows.totp + 1)
    return sorted(around, key=lambda step: abs(step - centre))


def _spent(state: ResponderState, centre: int, windows: Windows) -> list[int]:
    """Steps behind us whose code a person may type again: the last two, and what the device shows now."""
    steps = (*_near(state, centre, windows), state.last_step - 1, state.last_step)
    return [step for step in steps if 0 <= step <= state.last_step]


def _wide(centre: int, windows: Windows) -> range:
    """Steps at which a second code would settle the matter."""
    return range(centre - windows.resync, centre + windows.resync + 1)


def _first_match(code: str, code_at: CodeAt, steps: Iterable[int]) -> int | None:
    return next((step for step in steps if _same(code_at(step), code)), None)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
