"""Running the application under granian, with every log line on standard error."""

import multiprocessing
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from granian.constants import Interfaces
from granian.server import Server

from idp.cli.keeping import Child, keep
from idp.settings import Settings

_DRAIN_SECONDS = 10
_LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(levelname)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "stream": "ext://sys.stderr", "formatter": "plain"}},
    "root": {"level": "WARNING", "handlers": ["stderr"]},
    "loggers": {"_granian": {"level": "WARNING", "handlers": ["stderr"], "propagate": False}},
}


def serve(
    settings: Settings,
    config: Path | None,
    address: tuple[str, int],
    ready: Callable[[], None],
    beside: Sequence[Child] = (),
) -> None:
    """Serve until a signal; ``ready`` is called once the first worker answers, then what runs ``beside`` is started.

    Workers load the same settings again: from the file, or without one from the defaults and the environment.
    """
    os.environ["IDP_CONFIG"] = str(config or "")
    # A forked worker inherits the locks of threads it does not have, and can hang on one for ever; a fresh one cannot.
    multiprocessing.set_start_method("spawn", force=True)
    server, over = _server(settings, address), threading.Event()

    def told() -> None:
        ready()
        for child in beside:
            threading.Thread(target=keep, args=(child, over), daemon=True).start()

    known = urlsplit(settings.server.base_url).netloc
    threading.Thread(target=_tell, args=(address, known, told), daemon=True).start()
    try:
        server.serve()
    finally:
        over.set()


def certificate_listener(settings: Settings, host: str, taken: socket.socket | None = None) -> tuple[Child, ...]:
    """The certificate listener, where we are its server ourselves; ``taken`` is its socket if it has one already.

    Whoever connects before its process is there waits at the socket, which is bound here.
    """
    port = settings.own_listener
    if port is None:
        return ()
    from idp.cli.listening import Listening, bound, listen

    own = settings.certificates
    given = Listening(taken or bound(host, port), own.tls_certificate, own.tls_key)
    return (Child("certificate listener", listen, (given,)),)


def _server(settings: Settings, address: tuple[str, int]) -> Any:
    return Server(
        "idp.app:wsgi",
        address=address[0],
        port=address[1],
        interface=Interfaces.WSGI,
        workers=settings.server.workers,
        blocking_threads=settings.server.threads,
        backlog=1024,
        factory=True,
        websockets=False,
        log_dictconfig=_LOGGING,
        respawn_failed_workers=settings.server.production,
        # A worker that is told to stop while it starts never hears it; after this long it is ended anyway.
        workers_kill_timeout=_DRAIN_SECONDS,
    )


def _tell(address: tuple[str, int], known: str, ready: Callable[[], None]) -> None:
    """Ask at the address, by the name that people use: under any other it refuses (SEC-32)."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            connection = HTTPConnection(*address, timeout=5)
            connection.request("GET", "/readyz", headers={"Host": known})
            if connection.getresponse().status == 200:
                ready()
                return
        except (OSError, HTTPException):
            pass
        time.sleep(0.02)
