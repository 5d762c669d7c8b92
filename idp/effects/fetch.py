"""Documents from elsewhere: one guarded way out, bounded in time and size (SEC-23, SEC-39)."""

import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import ip_address
from urllib.parse import SplitResult, urljoin, urlsplit

from idp.ports import Fetched, FetchFailed

_MOST_REDIRECTS = 3
_CHUNK = 64 * 1024
_MOVED = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much and how long, in octets and seconds; ``laboratory`` lets plain http and loopback be fetched.

    ``plain`` lets http be fetched from public addresses, for what carries its own signature.
    """

    octets: int = 1024 * 1024
    seconds: float = 15.0
    laboratory: bool = False
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked; with a body it is a POST. ``tls`` replaces the default context, for a client certificate."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    tls: ssl.SSLContext | None = None


class GuardedFetcher:
    """Fetches over https from public addresses alone, and follows a redirect of a GET within its host.

    The name is resolved once and that very address is called, so that nobody can point it elsewhere in between. In
    the laboratory loopback may be called, over http too.
    """

    def __init__(self, bounds: Bounds, monotonic: Callable[[], float]) -> None:
        self._bounds = bounds
        self._monotonic = monotonic

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """What trusts the authorities of this machine; read at the first call: many processes make none."""
        return ssl.create_default_context()

    def get(self, url: str) -> Fetched:
        """The document at an address; raises ``FetchFailed`` with a sentence for the operator."""
        return self.send(Request(url))

    def send(self, request: Request) -> Fetched:
        """The answer with status 200, or 204 to what was posted; raises ``FetchFailed``."""
        deadline = self._monotonic() + self._bounds.seconds
        parts = _split(request.url)
        first = parts
        for _ in range(_MOST_REDIRECTS + 1):
            try:
                answer = self._once(request, parts, deadline)
            except (OSError, HTTPException, UnicodeError) as error:
                # A host with an empty or long label is no name, and a resolver says so in its own way.
                raise FetchFailed(f"{parts.geturl()} cannot be fetched: {error or type(error).__name__}.") from error
            if isinstance(answer, Fetched):
                return answer
            parts = _split(urljoin(parts.geturl(), answer))
            if request.body is not None or (parts.scheme, parts.netloc) != (first.scheme, first.netloc):
                raise FetchFailed(f"{first.geturl()} sends us on to {parts.geturl()[:300]}; register that address.")
        raise FetchFailed(f"{first.geturl()} sends us on more than {_MOST_REDIRECTS} times.")

    def _once(self, request: Request, parts: SplitResult, deadline: float) -> Fetched | str:
        connection = self._connect(parts, request.tls or self._tls, deadline)
        # A host that answers drop by drop renews the timeout of the socket with every drop.
        guard = threading.Timer(self._left(deadline), _hang_up, (connection,))
        guard.start()
        try:
            target = parts.path or "/"
            method = "GET" if request.body is None else "POST"
            headers = {"Host": parts.netloc, "Accept-Encoding": "identity", "Connection": "close"}
            connection.request(
                method,
                f"{target}?{parts.query}" if parts.query else target,
                request.body,
                headers | dict(request.headers),
            )
            with connection.getresponse() as answer:
                if answer.status in _MOVED:
                    return answer.headers.get("Location", "")
                if answer.status != 200 and not (answer.status == 204 and request.body is not None):
                    raise FetchFailed(f"{parts.geturl()} answered with status {answer.status}.")
                return Fetched(self._body(answer, parts, deadline), answer.headers.get("Content-Type", ""))
        finally:
            guard.cancel()
            connection.close()

    def _connect(self, parts: SplitResult, tls: ssl.SSLContext, deadline: float) -> HTTPConnection:
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        address = self._resolved(parts, host, port)
        connection = HTTPConnection(host, port)
        plain = socket.create_connection((address, port), timeout=self._left(deadline))
        try:
            connection.sock = tls.wrap_socket(plain, server_hostname=host) if parts.scheme == "https" else plain
        except OSError:
            plain.close()
            raise
        return connection

    def _resolved(self, parts: SplitResult, host: str, port: int) -> str:
        """The one address to call, when all addresses of the host may be called."""
        found = [str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        local = all(ip_address(one).is_loopback for one in found)
        inside = local and self._bounds.laboratory
        if parts.scheme != "https" and not inside and not self._bounds.plain:
            raise FetchFailed(f"{parts.geturl()} is not safe: use an https address.")
        if not inside and not all(ip_address(one).is_global for one in found):
            raise FetchFailed(f"{parts.geturl()} leads to an address that is not public; publish it on one that is.")
        return found[0]

    def _body(self, answer: HTTPResponse, parts: SplitResult, deadline: float) -> bytes:
        octets = bytearray()
        while True:
            chunk = answer.read1(_CHUNK)
            octets += chunk
            if len(octets) > self._bounds.octets:
                raise FetchFailed(f"{parts.geturl()} is larger than {self._bounds.octets} octets.")
            if not chunk:
                self._left(deadline)
                return bytes(octets)

    def _left(self, deadline: float) -> float:
        left = deadline - self._monotonic()
        if left <= 0:
            raise TimeoutError(f"it took longer than {self._bounds.seconds:g} seconds")
        return left


def _hang_up(connection: HTTPConnection) -> None:
    with suppress(OSError):
        if connection.sock is not None:
            connection.sock.shutdown(socket.SHUT_RDWR)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("https", "http") and parts.hostname and (parts.port or 1) and "@" not in parts.netloc
    except ValueError:
        good = None
    if not good or not url.isascii() or not url.isprintable() or " " in url:
        raise FetchFailed(f"{url[:300]!r} is no web address.")
    return parts._replace(fragment="")
