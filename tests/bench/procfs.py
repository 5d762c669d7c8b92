"""CPU time of a process and everything it started, as the kernel counts it."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
# Places in /proc/PID/stat after the name in brackets: parent; utime, stime, and both of reaped children.
_PARENT, _TIMES = 1, slice(11, 15)


def cpu_seconds(root: int) -> float:
    """User and system seconds of a process tree since its start; children that ended and were reaped included.

    Raises ``ProcessLookupError`` when the root is gone.
    """
    stats = {pid: fields for pid in _pids() if (fields := _stat(pid)) is not None}
    if root not in stats:
        raise ProcessLookupError(root)
    ticks = sum(sum(map(int, stats[pid][_TIMES])) for pid in tree(root, stats))
    return ticks / _TICKS


def tree(root: int, stats: dict[int, list[str]]) -> set[int]:
    """The root and all its living descendants."""
    found, ahead = {root}, {root}
    while ahead:
        ahead = {pid for pid, fields in stats.items() if int(fields[_PARENT]) in ahead} - found
        found |= ahead
    return found


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]


def _stat(pid: int) -> list[str] | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
