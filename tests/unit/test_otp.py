"""One-time codes against an independent implementation and the vectors of the standards."""

import hashlib
import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from idp.domain.otp import (
    Accepted,
    Algorithm,
    CodeAt,
    ResponderState,
    Windows,
    Wrong,
    expected_step,
    judge,
    resynchronise,
    well_formed,
)

SECRET = b"12345678901234567890"
DEVICE = pyotp.HOTP(pyotp.TOTP("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").secret)
WINDOWS = Windows()
NOW = datetime(2026, 11, 20, 12, 0, 10, tzinfo=UTC)
STEP = int(NOW.timestamp()) // 30
TOTP = ResponderState(Algorithm.TOTP, 6, 30, last_step=-1, drift=0)
HOTP = ResponderState(Algorithm.HOTP, 6, 30, last_step=99, drift=0)
# RFC 4226, appendix D, and RFC 6238, appendix B (SHA-1, eight digits).
RFC4226 = ("755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489")
RFC6238 = {
    59: "94287082",
    1111111109: "07081804",
    1111111111: "14050471",
    1234567890: "89005924",
    2000000000: "69279037",
    20000000000: "65353130",
}


def code_at(digits: int) -> CodeAt:
    """RFC 4226 written out: truncation of HMAC-SHA-1 over the step."""

    def code(step: int) -> str:
        digest = hmac.new(SECRET, step.to_bytes(8, "big"), hashlib.sha1).digest()
        place = digest[19] & 15
        number = int.from_bytes(digest[place : place + 4], "big") & 0x7FFFFFFF
        return f"{number % 10**digits:0{digits}}"

    return code


SIX = code_at(6)


def counted(step: int) -> str:
    """A device whose code is its step, so that no two steps share a code."""
    return f"{step % 10**6:06}"


def test_the_codes_are_those_of_the_standards() -> None:
    """RFC 4226 and 6238: what our vectors, their own arithmetic and pyotp say is the same."""
    assert tuple(SIX(step) for step in range(10)) == RFC4226
    assert tuple(DEVICE.at(step) for step in range(10)) == RFC4226
    assert {instant: code_at(8)(instant // 30) for instant in RFC6238} == RFC6238


@pytest.mark.parametrize(("instant", "code"), RFC6238.items())
def test_the_vectors_of_the_time_based_standard_are_accepted(instant: int, code: str) -> None:
    """RFC 6238: at its instant each code is right, at its step and without drift."""
    now = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=instant)
    state = replace(TOTP, digits=8)
    assert judge(state, code, code_at(8), now, WINDOWS) == Accepted(instant // 30, 0)


@pytest.mark.parametrize(("counter", "code"), list(enumerate(RFC4226)))
def test_the_vectors_of_the_counter_based_standard_are_accepted(counter: int, code: str) -> None:
    """RFC 4226: each code is right when the counter stands there, and within the look-ahead before that."""
    at_once = replace(HOTP, last_step=counter - 1)
    assert judge(at_once, code, SIX, NOW, WINDOWS) == Accepted(counter, 0)
    assert judge(replace(HOTP, last_step=-1), code, SIX, NOW, WINDOWS) == Accepted(counter, 0)


@pytest.mark.parametrize("when", [0, 29, 30, 59, 1700000000, 1763640010])
def test_the_step_of_a_time_is_that_of_the_independent_implementation(when: int) -> None:
    """O-5: our idea of now is pyotp's."""
    now = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=when)
    device = pyotp.TOTP("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    assert device.at(now) == SIX(expected_step(TOTP, now))
    assert expected_step(replace(TOTP, drift=3), now) == expected_step(TOTP, now) + 3
    assert expected_step(replace(TOTP, period=60), now) == when // 60
    assert expected_step(replace(HOTP, drift=3), now) == 100


@pytest.mark.parametrize("off", range(-22, 23))
def test_a_time_based_code_is_right_one_step_around_and_asks_for_another_further_off(off: int) -> None:
    """SEC-26, O-5, RUL-19: one step either way, then the resynchronisation window, then nothing."""
    found = judge(TOTP, counted(STEP + off), counted, NOW, WINDOWS)
    if abs(off) <= 1:
        assert found == Accepted(STEP + off, off)
    else:
        assert found is (Wrong.OUT_OF_STEP if abs(off) <= 20 else Wrong.MISMATCH)


@pytest.mark.parametrize("ahead", range(-3, 23))
def test_a_counted_code_is_right_ten_presses_ahead_and_asks_for_another_further_off(ahead: int) -> None:
    """O-5: the look-ahead of ten, then the resynchronisation window, then nothing; the last ones are spent."""
    found = judge(HOTP, counted(100 + ahead), counted, NOW, WINDOWS)
    if ahead < 0:
        assert found is (Wrong.USED if ahead >= -2 else Wrong.MISMATCH)
    elif ahead <= 10:
        assert found == Accepted(100 + ahead, 0)
    else:
        assert found is (Wrong.OUT_OF_STEP if ahead <= 20 else Wrong.MISMATCH)


def test_the_windows_are_settings() -> None:
    """O-5: other windows, other answers."""
    wide = Windows(totp=3, hotp=2, resync=5)
    assert judge(TOTP, counted(STEP - 3), counted, NOW, wide) == Accepted(STEP - 3, -3)
    assert judge(TOTP, counted(STEP + 5), counted, NOW, wide) is Wrong.OUT_OF_STEP
    assert judge(TOTP, counted(STEP + 6), counted, NOW, wide) is Wrong.MISMATCH
    assert judge(HOTP, counted(102), counted, NOW, wide) == Accepted(102, 0)
    assert judge(HOTP, counted(103), counted, NOW, wide) is Wrong.OUT_OF_STEP
    assert judge(HOTP, counted(106), counted, NOW, wide) is Wrong.MISMATCH


@pytest.mark.parametrize("drift", [-5, -1, 0, 1, 5])
def test_drift_moves_the_window_and_is_learnt(drift: int) -> None:
    """O-5: a device that runs ahead by some steps is expected there, and one more is remembered."""
    state = replace(TOTP, drift=drift)
    for off in (-1, 0, 1):
        found = judge(state, counted(STEP + drift + off), counted, NOW, WINDOWS)
        assert found == Accepted(STEP + drift + off, drift + off)


@pytest.mark.parametrize("off", [-1, 0, 1])
def test_an_accepted_code_is_never_right_again(off: int) -> None:
    """SEC-26: nor is any code of an earlier step, now or a step later; the person hears that it was used (L03)."""
    first = judge(TOTP, counted(STEP + off), counted, NOW, WINDOWS)
    assert isinstance(first, Accepted)
    spent = replace(TOTP, last_step=first.step, drift=first.drift)
    for later in (0, 30, 60):
        again = judge(spent, counted(STEP + off), counted, NOW + timedelta(seconds=later), WINDOWS)
        assert again is Wrong.USED
    assert judge(spent, counted(first.step - 1), counted, NOW, WINDOWS) is Wrong.USED
    assert judge(spent, counted(first.step + 1), counted, NOW, WINDOWS) == Accepted(first.step + 1, first.drift + 1)


def test_a_spent_step_far_behind_is_recognised_and_others_there_are_not() -> None:
    """RUL-19: the last two typed again are called used; older ones are plainly wrong and no second code is asked."""
    state = replace(TOTP, last_step=STEP - 10)
    assert judge(state, counted(STEP - 10), counted, NOW, WINDOWS) is Wrong.USED
    assert judge(state, counted(STEP - 11), counted, NOW, WINDOWS) is Wrong.USED
    assert judge(state, counted(STEP - 12), counted, NOW, WINDOWS) is Wrong.MISMATCH
    assert judge(state, counted(STEP - 9), counted, NOW, WINDOWS) is Wrong.OUT_OF_STEP


def test_after_the_clock_went_back_spent_steps_stay_spent() -> None:
    """RUL-21, SEC-41: steps up to the last one used are refused although they are of the present."""
    state = replace(TOTP, last_step=STEP + 1000)
    for off in (-1, 0, 1):
        assert judge(state, counted(STEP + off), counted, NOW, WINDOWS) is Wrong.USED
    assert judge(state, counted(STEP + 2), counted, NOW, WINDOWS) is Wrong.MISMATCH


def test_where_two_steps_share_a_code_the_fresh_one_counts() -> None:
    """SEC-26: a code that was spent by chance at another step is still good at this one, nearest first."""
    assert judge(TOTP, "111111", lambda _step: "111111", NOW, WINDOWS) == Accepted(STEP, 0)
    state = replace(TOTP, last_step=STEP - 1)
    assert judge(state, "111111", lambda _step: "111111", NOW, WINDOWS) == Accepted(STEP, 0)
    assert judge(replace(state, last_step=STEP), "111111", lambda _step: "111111", NOW, WINDOWS) == Accepted(
        STEP + 1, 1
    )
    assert judge(TOTP, "111111", lambda step: "111111" if step != STEP else "222222", NOW, WINDOWS) == Accepted(
        STEP - 1, -1
    )


@pytest.mark.parametrize("now", [datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, 0, 5, tzinfo=UTC)])
def test_no_device_is_asked_for_a_step_before_time_began(now: datetime) -> None:
    """A negative step exists on no device; an implementation may never return from it."""

    def device(step: int) -> str:
        assert step >= 0
        return counted(step)

    assert judge(TOTP, "999999", device, now, WINDOWS) is Wrong.MISMATCH
    assert judge(replace(HOTP, last_step=-1), "999999", device, now, WINDOWS) is Wrong.MISMATCH
    assert resynchronise(TOTP, ("999999", "999998"), device, now, WINDOWS) is Wrong.MISMATCH
    assert judge(replace(HOTP, last_step=0), "000000", device, now, WINDOWS) is Wrong.USED


@pytest.mark.parametrize(
    "code", ["", "12345", "1234567", "12345a", "12 456", "-12345", "+12345", "１２３４５６", "٣٤٥٦٧٨", "²²²²²²"]
)
def test_anything_but_ascii_digits_of_the_right_length_is_malformed(code: str) -> None:
    """SEC-5: such a code reaches no device."""

    def device(step: int) -> str:
        raise AssertionError(step)

    assert not well_formed(code, 6)
    assert judge(TOTP, code, device, NOW, WINDOWS) is Wrong.MALFORMED
    assert resynchronise(TOTP, (code, "123456"), device, NOW, WINDOWS) is Wrong.MALFORMED
    assert resynchronise(TOTP, ("123456", code), device, NOW, WINDOWS) is Wrong.MALFORMED


def test_eight_digits_are_for_a_device_of_eight() -> None:
    """SEC-5: the length is the device's own."""
    assert well_formed("12345678", 8)
    assert not well_formed("123456", 8)
    assert well_formed("000000", 6)


@pytest.mark.parametrize("off", range(-22, 23))
def test_two_consecutive_codes_bring_a_clock_back_in_step(off: int) -> None:
    """L06, O-5: within the wide window two codes in a row settle it; the second's step is the one recorded."""
    codes = (counted(STEP + off), counted(STEP + off + 1))
    found = resynchronise(TOTP, codes, counted, NOW, WINDOWS)
    assert found == (Accepted(STEP + off + 1, off + 1) if abs(off) <= 20 else Wrong.MISMATCH)


@pytest.mark.parametrize("ahead", range(-2, 23))
def test_two_consecutive_codes_bring_a_counter_back_in_step(ahead: int) -> None:
    """L06, O-5: a counter only ever goes forward, and knows no drift."""
    codes = (counted(100 + ahead), counted(101 + ahead))
    found = resynchronise(HOTP, codes, counted, NOW, WINDOWS)
    assert found == (Accepted(101 + ahead, 0) if 0 <= ahead <= 20 else Wrong.MISMATCH)


def test_two_codes_that_are_not_consecutive_settle_nothing() -> None:
    """L06: in the wrong order, twice the same, with a gap, or one of them wrong."""
    for first, second in ((6, 5), (5, 5), (5, 7)):
        codes = (counted(STEP + first), counted(STEP + second))
        assert resynchronise(TOTP, codes, counted, NOW, WINDOWS) is Wrong.MISMATCH
    for codes in ((counted(STEP + 5), "999999"), ("999999", counted(STEP + 6))):
        assert resynchronise(TOTP, codes, counted, NOW, WINDOWS) is Wrong.MISMATCH


def test_spent_codes_bring_nothing_back_in_step() -> None:
    """SEC-26: the first of the two must be fresh as well."""
    state = replace(TOTP, last_step=STEP + 5)
    codes = (counted(STEP + 5), counted(STEP + 6))
    assert resynchronise(state, codes, counted, NOW, WINDOWS) is Wrong.MISMATCH
    codes = (counted(STEP + 6), counted(STEP + 7))
    assert resynchronise(state, codes, counted, NOW, WINDOWS) == Accepted(STEP + 7, 7)


def test_drift_found_by_two_codes_counts_from_the_drift_known() -> None:
    """L06: a device known to run three steps ahead and found seven ahead is remembered at seven and the next."""
    state = replace(TOTP, drift=3)
    codes = (counted(STEP + 7), counted(STEP + 8))
    assert resynchronise(state, codes, counted, NOW, WINDOWS) == Accepted(STEP + 8, 8)


def test_stored_and_recorded_names_stay_as_they_are() -> None:
    """The kinds of responders are stored, and what was wrong with a code is recorded, by these names."""
    assert [kind.value for kind in Algorithm] == ["totp", "hotp"]
    assert [wrong.value for wrong in Wrong] == ["malformed", "mismatch", "used", "out_of_step"]
