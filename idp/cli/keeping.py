"""A process beside the server: started again whenever it ends, until the server stops."""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import connection, get_context, parent_process
from signal import SIG_IGN, SIGINT, signal
from typing import Any

# Seconds between an end and the next start; one that lived longer than the longest wait was well.
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0


@dataclass(frozen=True, slots=True)
class Child:
    """What runs in a process of its own: its name in the log, a function that a fresh process can import, and what it
    is given. Settings come as to every worker, from ``IDP_CONFIG``.
    """

    name: str
    run: Callable[..., None]
    given: tuple[Any, ...] = ()


def keep(child: Child, over: threading.Event) -> None:
    """Start it, and again after every end, ever later while it keeps failing; returns once ``over`` is set.

    The process itself ends with this one, however that ends.
    """
    wait = 0.0
    while not over.is_set():
        began = time.monotonic()
        process = get_context("spawn").Process(target=_begin, args=(child.run, child.given), daemon=True)
        process.start()
        process.join()
        if over.is_set():
            return
        wait = wait_after(wait, time.monotonic() - began)
        _tell(child.name, process.exitcode, wait)
        over.wait(wait)


def wait_after(wait: float, lived: float) -> float:
    """Seconds until the next start, from the last wait and from how long it lived: doubling, bounded."""
    return FIRST_WAIT if lived > LONGEST_WAIT else min(max(2 * wait, FIRST_WAIT), LONGEST_WAIT)


def _begin(run: Callable[..., None], given: tuple[Any, ...]) -> None:
    # Ctrl-C reaches the whole group; we end when the one who started us has ended.
    signal(SIGINT, SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    run(*given)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(0)


def _tell(name: str, status: int | None, wait: float) -> None:
    # Loaded when there is something to tell, so that a start does not wait for it.
    import structlog

    from idp.web.shell import log

    log.configure()
    structlog.get_logger("idp.keeping").error("process_ended", process=name, status=status, again_in_seconds=wait)
