"""The laboratory's clock: one file that every process obeys at its next look."""

import multiprocessing
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from idp.effects.clock import LabClock
from idp.lab.clock import BadTime, change, shown, start

_MOMENT = datetime(2031, 1, 2, 3, 4, 5, tzinfo=UTC)
_ENDLESS = {"advance_seconds": 10**400}


def _tell(file: str, asked: "Connection[None, str]") -> None:
    """Another process: it opens the clock once and tells the time whenever it is asked."""
    clock = LabClock(Path(file))
    while asked.recv():
        asked.send(clock.now().isoformat())


def test_another_process_obeys_at_once(tmp_path: Path) -> None:
    """A process that opened the clock before it was set shows the new time at its very next look (RUL-21)."""
    clock = LabClock(tmp_path / "clock")
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_tell, args=(str(tmp_path / "clock"), theirs))
    process.start()
    try:
        for days in range(5):
            moment = _MOMENT + timedelta(days=days)
            change(clock, {"now": moment.isoformat(), "frozen": True})
            ours.send(True)
            assert datetime.fromisoformat(ours.recv()) == moment
    finally:
        ours.send(None)
        process.join(10)
        ours.close()
        theirs.close()


def test_a_clock_opened_later_stands_where_it_was_put(tmp_path: Path) -> None:
    """What the clock was told outlives the process that told it."""
    change(LabClock(tmp_path / "clock"), {"now": _MOMENT.isoformat(), "frozen": True})
    assert shown(LabClock(tmp_path / "clock")) == {"now": _MOMENT.isoformat(), "frozen": True}


def test_now_alone_runs_on(tmp_path: Path) -> None:
    """``now`` alone lets the clock run from there, also a frozen one; a plain time is taken as UTC."""
    clock = LabClock(tmp_path / "clock")
    start(clock, _MOMENT)
    assert clock.setting().frozen
    change(clock, {"now": "2031-01-02T03:04:05"})
    assert not clock.setting().frozen
    assert _MOMENT <= clock.now() < _MOMENT + timedelta(seconds=30)
    assert clock.moved


def test_freezing_and_running(tmp_path: Path) -> None:
    """A frozen clock stands, moves only when advanced, and runs on from where it stood."""
    clock = LabClock(tmp_path / "clock")
    change(clock, {"now": _MOMENT.isoformat(), "frozen": True})
    change(clock, {"advance_seconds": -60.5})
    assert clock.now() == _MOMENT - timedelta(seconds=60.5)
    change(clock, {"frozen": False})
    assert not clock.setting().frozen
    assert timedelta(0) <= clock.now() - (_MOMENT - timedelta(seconds=60.5)) < timedelta(seconds=30)
    change(clock, {"release": True})
    assert not clock.moved


def test_nonsense_changes_nothing(tmp_path: Path) -> None:
    """A wish that fails leaves the clock as it was, whatever part of it made sense."""
    clock = LabClock(tmp_path / "clock")
    start(clock, _MOMENT)
    for wish in (
        {"frozen": False, "advance_seconds": "x"},
        {"now": "x", "frozen": False},
        {"release": 1},
        None,
        _ENDLESS,
    ):
        with pytest.raises(BadTime):
            change(clock, wish)
        assert shown(clock) == {"now": _MOMENT.isoformat(), "frozen": True}
