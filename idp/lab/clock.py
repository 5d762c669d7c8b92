"""Setting the laboratory's clock by words: where it is, how far ahead, frozen or running (contract)."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from idp.effects.clock import LabClock

if TYPE_CHECKING:
    # Only for its name: a start of the sandbox sets its clock without loading the services.
    from idp.services.work import Office

_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_KEYS = ("now", "advance_seconds", "frozen", "release")


class BadTime(Exception):
    """What the clock was told makes no sense; the text is one sentence."""


def clock_of(office: "Office") -> LabClock:
    """The laboratory's clock; raises ``LookupError`` where the laboratory is off."""
    if not isinstance(office.clock, LabClock):
        raise LookupError("this office has no laboratory")
    return office.clock


def start(clock: LabClock, frozen_at: datetime | None) -> None:
    """Set the clock as it stands when a sandbox starts: at an instant, or running with the machine."""
    clock.release()
    if frozen_at is not None:
        clock.freeze(True)
        clock.set(frozen_at)


def shown(clock: LabClock) -> dict[str, Any]:
    """The clock as its interface gives it."""
    return {"now": clock.now().isoformat(), "frozen": clock.setting().frozen}


def change(clock: LabClock, wish: object) -> None:
    """Do what a document asks: ``now``, ``advance_seconds``, ``frozen`` or ``release``; raises ``BadTime``.

    ``now`` alone lets the clock run on from there; with ``frozen`` it stands there.
    """
    if not isinstance(wish, Mapping) or not wish or not set(wish) <= set(_KEYS):
        raise BadTime(f"Tell the clock one of {', '.join(_KEYS)}.")
    if "release" in wish:
        if wish["release"] is not True or len(wish) > 1:
            raise BadTime("release is true and stands alone.")
        clock.release()
        return
    frozen = wish.get("frozen", clock.setting().frozen if "now" not in wish else False)
    if not isinstance(frozen, bool):
        raise BadTime("frozen must be true or false.")
    moment = _moment(clock, wish)
    if frozen is not clock.setting().frozen:
        clock.freeze(frozen)
    if moment is not None:
        clock.set(moment)


def _moment(clock: LabClock, wish: Mapping[str, Any]) -> datetime | None:
    if "now" in wish and "advance_seconds" in wish:
        raise BadTime("Tell either now or advance_seconds.")
    moment = None
    if "now" in wish:
        moment = _instant(wish["now"])
    elif "advance_seconds" in wish:
        moment = _later(clock.now(), wish["advance_seconds"])
    if moment is not None and not _EARLIEST <= moment < _LATEST:
        raise BadTime(f"The clock goes from {_EARLIEST.year} to {_LATEST.year}.")
    return moment


def _instant(text: object) -> datetime:
    """An instant in ISO 8601; without an offset it is taken as UTC."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        moment = None
    if moment is None:
        raise BadTime("now must be an instant in ISO 8601, such as 2026-01-15T10:00:00+01:00.")
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        raise BadTime(f"The clock goes from {_EARLIEST.year} to {_LATEST.year}.") from None


def _later(now: datetime, seconds: object) -> datetime:
    try:
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not math.isfinite(seconds):
            raise BadTime("advance_seconds must be a number.")
        return now + timedelta(seconds=seconds)
    except OverflowError:
        raise BadTime(f"The clock goes from {_EARLIEST.year} to {_LATEST.year}.") from None
