"""What keeps a process beside the server alive, and what tells whether it is."""

import json
import sys
import threading
from pathlib import Path

import pytest

from idp.cli.keeping import FIRST_WAIT, LONGEST_WAIT, Child, keep, wait_after
from idp.effects.presence import hold, is_held


def test_a_process_that_keeps_failing_is_started_ever_later_but_never_given_up() -> None:
    """Waits double up to the longest; whoever lived well for a while is started again at once."""
    waits = [0.0]
    for _ in range(10):
        waits.append(wait_after(waits[-1], 0.2))
    assert waits[1:4] == [FIRST_WAIT, 2 * FIRST_WAIT, 4 * FIRST_WAIT]
    assert waits[-2:] == [LONGEST_WAIT, LONGEST_WAIT]
    assert wait_after(LONGEST_WAIT, LONGEST_WAIT + 1) == FIRST_WAIT


def test_presence_lasts_as_long_as_the_file_is_open(tmp_path: Path) -> None:
    """Who holds a file is seen by others, also by several who ask at once; a file that is gone is held by nobody."""
    file = tmp_path / "key"
    assert not is_held(file)
    file.touch()
    with hold(file):
        # The lock is taken by a thread of its own, which may need a moment.
        assert any(is_held(file) for _ in range(100_000))
    assert not is_held(file)


def test_a_process_that_fails_is_told_of_and_started_again(capfd: pytest.CaptureFixture[str]) -> None:
    """Each end is a line in the log with what ended, how, and when the next start is; then comes that start."""
    over = threading.Event()
    keeping = threading.Thread(target=keep, args=(Child("test", sys.exit, (3,)), over))
    keeping.start()
    lines: list[str] = []
    while len(lines) < 2:
        lines += capfd.readouterr().err.splitlines()
    over.set()
    keeping.join()
    told = [json.loads(line) for line in lines[:2]]
    assert [(one["process"], one["status"], one["again_in_seconds"]) for one in told] == [
        ("test", 3, 1.0),
        ("test", 3, 2.0),
    ]
