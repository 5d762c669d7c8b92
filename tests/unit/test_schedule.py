"""What the worker does when."""

from collections.abc import Mapping

import pytest
from sqlalchemy.exc import OperationalError

from idp.services.schedule import Job, Schedule


class Counted:
    """A job that counts, and a clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0
        self.done: list[str] = []

    def job(self, name: str, every: float) -> Job:
        """A job that notes that it was done."""

        def run() -> Mapping[str, int]:
            self.done.append(name)
            return {"count": len(self.done)}

        return Job(name, every, run)


def test_each_job_has_its_own_turn() -> None:
    """All are done at once at first, and then each when its time has come."""
    world = Counted()
    schedule = Schedule([world.job("often", 10), world.job("seldom", 25)], lambda: world.now)
    for now, expected in ((100, ["often", "seldom"]), (109, []), (110, ["often"]), (124, ["often"]), (125, ["seldom"])):
        world.now, world.done = now, []
        assert list(schedule.run_due()) == world.done == expected
    assert schedule.seconds_left() == pytest.approx(9)


def test_a_database_that_is_away_stops_no_other_job() -> None:
    """A job that fails tells so, the next one is done, and it is tried again at its next turn."""
    world = Counted()

    def fail() -> Mapping[str, int]:
        world.done.append("fails")
        raise OperationalError("SELECT", {}, Exception("secret"))

    schedule = Schedule([Job("fails", 10, fail), world.job("works", 10)], lambda: world.now)
    told = schedule.run_due()
    assert "does not answer" in told["fails"]["trouble"]
    assert "secret" not in told["fails"]["trouble"]
    assert told["works"] == {"count": 2}
    world.now += 10
    schedule.run_due()
    assert world.done == ["fails", "works", "fails", "works"]
