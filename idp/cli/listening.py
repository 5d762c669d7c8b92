"""What the certificate listener is given when it starts in a process of its own (RUL-29)."""

import socket
from dataclasses import dataclass

BACKLOG = 128


@dataclass(frozen=True, slots=True)
class Listening:
    """On which socket to listen, and with which certificate (PEM files).

    The socket is bound before the process starts and outlives it, so that nobody who connects before the first start
    or between two is turned away.
    """

    socket: socket.socket
    certificate: str
    key: str


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens; raises ``OSError`` when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


def listen(listening: Listening) -> None:
    """Be the certificate listener."""
    # Its libraries are loaded in its own process alone, so that the one who waits for the start does not pay for them.
    from idp.cli.certificate_listener import run

    run(listening)
