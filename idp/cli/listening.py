"""Starting the certificate listener in a process of its own, on a socket that is bound already (RUL-29)."""

import socket
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.process import BaseProcess

BACKLOG = 128


@dataclass(frozen=True, slots=True)
class Listening:
    """On which socket to listen, and with which certificate (PEM files).

    The socket is bound before the process starts, so that nobody who connects early is turned away.
    """

    socket: socket.socket
    certificate: str
    key: str


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens; raises ``OSError`` when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


def start(listening: Listening) -> BaseProcess:
    """A process of its own that ends with this one; settings come as to every worker, from ``IDP_CONFIG``."""
    process = get_context("spawn").Process(target=_run, args=(listening,), daemon=True)
    process.start()
    listening.socket.close()
    return process


def _run(listening: Listening) -> None:
    # Its libraries are loaded in its own process alone, so that the one who waits for the start does not pay for them.
    from idp.cli.certificate_listener import run

    run(listening)
