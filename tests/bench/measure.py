"""Running many flows and seeing what they cost the server; the driver's own cost never counts."""

import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any

from tests.bench.http import Browser, FlowFailed
from tests.bench.server import Server

_SAMPLED = 3


@dataclass(frozen=True, slots=True)
class Workload:
    """One kind of flow: ``prepare`` makes what one flow sends, ``run`` does it, ``verify`` proves its evidence."""

    name: str
    prepare: Callable[[], Any]
    run: Callable[[Browser, Any], bytes]
    verify: Callable[[Any, bytes], None]


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass of a workload cost: CPU milliseconds per flow, flows per second, latencies in milliseconds."""

    cpu_ms: float
    per_second: float
    latencies: tuple[float, ...] = ()
    failures: tuple[str, ...] = ()

    def percentile(self, share: float) -> float:
        """The latency that this share of the flows stays below, in milliseconds."""
        ordered = sorted(self.latencies)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


def joined(parts: Sequence[Pass], flows: Sequence[int]) -> Pass:
    """Passes that followed one another, each of so many flows, as one."""
    total = sum(flows)
    return Pass(
        sum(part.cpu_ms * number for part, number in zip(parts, flows, strict=True)) / total,
        total / sum(number / part.per_second for part, number in zip(parts, flows, strict=True)),
        tuple(one for part in parts for one in part.latencies),
        tuple(one for part in parts for one in part.failures),
    )


@dataclass(slots=True)
class _Lane:
    """What one browser did."""

    latencies: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    evidence: list[tuple[Any, bytes]] = field(default_factory=list)


def run_pass(server: Server, workload: Workload, browsers: Sequence[Browser], flows: int) -> Pass:
    """One pass: requests are made first, then sent by all browsers at once, and a sample is verified afterwards."""
    prepared = [workload.prepare() for _ in range(flows)]
    lanes = [_Lane() for _ in browsers]
    threads = [
        threading.Thread(target=_drive, args=(workload, browser, prepared[place :: len(browsers)], lane))
        for place, (browser, lane) in enumerate(zip(browsers, lanes, strict=True))
    ]
    cpu, wall = server.cpu(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall = time.perf_counter() - wall
    cpu = server.cpu() - cpu
    for lane in lanes:
        for asked, evidence in lane.evidence:
            workload.verify(asked, evidence)
    return Pass(
        cpu * 1000 / flows,
        flows / wall,
        tuple(one for lane in lanes for one in lane.latencies),
        tuple(one for lane in lanes for one in lane.failures),
    )


def _drive(workload: Workload, browser: Browser, prepared: Sequence[Any], lane: _Lane) -> None:
    # The server may have hung up since the last pass; a closed connection opens itself again.
    browser.connection.close()
    every = max(len(prepared) // _SAMPLED, 1)
    for place, asked in enumerate(prepared):
        begin = time.perf_counter()
        try:
            evidence = workload.run(browser, asked)
        except (FlowFailed, HTTPException, OSError, KeyError, ValueError) as error:
            browser.connection.close()
            lane.failures.append(f"{type(error).__name__}: {error}")
            continue
        lane.latencies.append((time.perf_counter() - begin) * 1000)
        if place % every == 0:
            lane.evidence.append((asked, evidence))


@dataclass(frozen=True, slots=True)
class Series:
    """All passes of one workload."""

    passes: tuple[Pass, ...]

    @property
    def best(self) -> Pass:
        """The pass that was disturbed least."""
        return min(self.passes, key=lambda one: one.cpu_ms)

    @property
    def spread(self) -> float:
        """How far the worst pass is above the best, as a share."""
        return max(one.cpu_ms for one in self.passes) / self.best.cpu_ms - 1 if self.best.cpu_ms else 0.0

    def beside(self, other: "Series") -> float:
        """How many times as dear as another: the median over the passes, each compared with its neighbour in time."""
        pairs = zip(self.passes, other.passes, strict=True)
        return statistics.median(mine.cpu_ms / theirs.cpu_ms for mine, theirs in pairs)

    @property
    def failures(self) -> tuple[str, ...]:
        """Every failure of every pass."""
        return tuple(one for run in self.passes for one in run.failures)


def interleaved(jobs: dict[str, Callable[[], Pass]], passes: int, tell: Callable[[str], None]) -> dict[str, Series]:
    """Every job in turn, as many rounds as passes, so that a disturbance strikes all alike."""
    done: dict[str, list[Pass]] = {name: [] for name in jobs}
    for number in range(passes):
        for name, job in jobs.items():
            done[name].append(job())
            tell(f"pass {number + 1}/{passes}  {name:24} {done[name][-1].cpu_ms:8.3f} ms")
    return {name: Series(tuple(found)) for name, found in done.items()}
