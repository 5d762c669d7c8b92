"""A small real SMTP server on a socket of this machine, with the manners a test wishes."""

import socket
import ssl
import threading
from base64 import b64decode
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

SLOWEST = 20.0


@dataclass
class Manners:
    """How the server behaves: ``rcpt`` and ``data`` are its answers; ``die_after_data`` says nothing and hangs up.

    ``silent`` takes connections and never says a word; ``tls`` speaks TLS from the first byte, ``starttls`` offers it.
    """

    rcpt: str = "250 ok"
    data: str = "250 taken"
    die_after_data: bool = False
    silent: bool = False
    tls: bool = False
    starttls: bool = False
    account: tuple[str, str] | None = None
    certificate: Path | None = None


@dataclass
class SmtpServer:
    """Listens on a free port; ``mails`` is what it took, ``seen`` what it read of mails it then died with."""

    manners: Manners
    mails: list[EmailMessage] = field(default_factory=list)
    seen: list[EmailMessage] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._over.set()
        with suppress(OSError):
            # A connection of our own wakes the one who waits for connections.
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        self._thread.join(SLOWEST)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            line, _ = self._listener.accept()
            if self._over.is_set():
                line.close()
                return
            self.connections += 1
            line.settimeout(SLOWEST)
            with suppress(OSError, ValueError):
                self._talk(line)
            line.close()

    def _talk(self, line: socket.socket) -> None:
        if self.manners.silent:
            self._over.wait(SLOWEST)
            return
        if self.manners.tls:
            line = self._secured(line)
        _Talk(self, line).run()

    def _secured(self, line: socket.socket) -> socket.socket:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(self.manners.certificate))
        return context.wrap_socket(line, server_side=True)


class _Talk:
    """One conversation."""

    def __init__(self, server: SmtpServer, line: socket.socket) -> None:
        self._server, self._manners, self._line = server, server.manners, line
        self._file = line.makefile("rb")
        self._trusted = self._manners.account is None

    def run(self) -> None:
        """Greet, and answer until the other says goodbye."""
        try:
            self._say("220 here")
            while command := self._file.readline():
                text = command.decode().strip()
                self._server.heard.append(text.split()[0].upper())
                if not self._answer(text):
                    break
        finally:
            self._file.close()
            self._line.close()

    def _answer(self, text: str) -> bool:
        verb = text.split()[0].upper()
        if verb == "EHLO":
            offers = [
                "250-here",
                *(["250-STARTTLS"] if self._manners.starttls else []),
                "250-AUTH PLAIN",
                "250 8BITMIME",
            ]
            self._say("\r\n".join(offers))
        elif verb == "STARTTLS":
            self._say("220 go")
            self._file.close()
            self._line = self._server._secured(self._line)
            self._file = self._line.makefile("rb")
        elif verb == "AUTH":
            name, password = b64decode(text.split()[2]).decode().split("\0")[1:]
            self._trusted = (name, password) == self._manners.account
            self._say("235 welcome" if self._trusted else "535 wrong")
        elif verb == "MAIL":
            self._say("250 ok" if self._trusted else "530 authentication required")
        elif verb == "RCPT":
            self._say(self._manners.rcpt)
        elif verb == "DATA":
            return self._take()
        else:
            self._say("221 bye" if verb == "QUIT" else "250 ok")
            return verb != "QUIT"
        return True

    def _take(self) -> bool:
        self._say("354 send it")
        lines = []
        while (line := self._file.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b"."))
        mail = message_from_bytes(b"".join(lines), policy=policy.default)
        if self._manners.die_after_data:
            self._server.seen.append(mail)
            self._line.shutdown(socket.SHUT_RDWR)
            return False
        if self._manners.data.startswith("250"):
            self._server.mails.append(mail)
        self._say(self._manners.data)
        return True

    def _say(self, text: str) -> None:
        self._line.sendall(text.encode() + b"\r\n")
