"""What the worker does and how often: a list of jobs, each run when it is due."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import SQLAlchemyError


@dataclass(frozen=True, slots=True)
class Job:
    """Something to be done every so many seconds; it answers what it did. Two workers may do it at once."""

    name: str
    every_seconds: float
    run: Callable[[], Mapping[str, Any]]


class Schedule:
    """Runs jobs in their order; one that fails because the database is away is tried again at its next turn."""

    def __init__(self, jobs: Sequence[Job], monotonic: Callable[[], float]) -> None:
        self._jobs = jobs
        self._monotonic = monotonic
        self._due = dict.fromkeys((one.name for one in jobs), float("-inf"))

    def run_due(self) -> dict[str, Mapping[str, Any]]:
        """Run every job that is due; answers what each did, by its name."""
        done: dict[str, Mapping[str, Any]] = {}
        for job in self._jobs:
            now = self._monotonic()
            if now < self._due[job.name]:
                continue
            self._due[job.name] = now + job.every_seconds
            try:
                done[job.name] = job.run()
            except SQLAlchemyError as error:
                done[job.name] = {"trouble": f"The database does not answer ({type(error).__name__})."}
        return done

    def seconds_left(self) -> float:
        """How long until a job is due."""
        return max(min(self._due.values()) - self._monotonic(), 0.0)
