"""Documents that only change with our keys or catalogue: prebuilt bytes, answered before Flask."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from threading import Lock
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from idp.web.shell.headers import ONLY_HTTPS

Environ = dict[str, Any]
Start = Callable[..., Any]
Application = Callable[[Environ, Start], Iterable[bytes]]
_FRESH_SECONDS = 300
_PUBLISHED = ("/saml/", "/oidc/", "/.well-known/")
log = structlog.get_logger("idp.keys")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document ready to be sent."""

    headers: list[tuple[str, str]]
    etag: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Source:
    """Where documents come from: ``make`` writes them all, for the version that ``look`` answers and for a day."""

    make: Callable[[], Mapping[str, tuple[str, bytes]]]
    look: Callable[[], int]
    today: Callable[[], date]


@dataclass(frozen=True, slots=True)
class _Shelf:
    version: int = -1
    day: date | None = None
    prepared: Mapping[str, Prepared] = field(default_factory=dict)


class Documents:
    """Answers metadata, JWKS and discovery from memory and hands everything else on (performance: P8).

    Before every request it lets the keys be looked at, so that none changes within one (SEC-42). Documents are
    written anew when the keys or the day have changed, by one thread while the others give out the old ones; what
    fails then is logged, and the old ones stay.
    """

    def __init__(self, application: Application, source: Source, secure: bool) -> None:
        self._application = application
        self._source = source
        self._secure = secure
        self._lock = Lock()
        self._shelf = _Shelf()
        self._refresh(whatever_day=False)

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        """The WSGI entry."""
        self._refresh(whatever_day=environ["PATH_INFO"] not in self._shelf.prepared)
        if not self._shelf.prepared and environ["PATH_INFO"].startswith(_PUBLISHED):
            start("503 Service Unavailable", [("Retry-After", "5"), ("Content-Length", "0")])
            return ()
        prepared = self._shelf.prepared.get(environ["PATH_INFO"])
        if prepared is None or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return self._application(environ, start)
        if environ.get("HTTP_IF_NONE_MATCH") == prepared.etag:
            start("304 Not Modified", [("ETag", prepared.etag)])
            return ()
        start("200 OK", prepared.headers)
        return (prepared.body,) if environ["REQUEST_METHOD"] == "GET" else ()

    def _refresh(self, *, whatever_day: bool) -> None:
        try:
            version = self._source.look()
            day = self._shelf.day if whatever_day and self._shelf.day is not None else self._source.today()
            if (version, day) != (self._shelf.version, self._shelf.day) and self._lock.acquire(blocking=False):
                try:
                    made = self._source.make().items()
                    prepared = {path: prepare(kind, body, self._secure) for path, (kind, body) in made}
                    self._shelf = _Shelf(version, day, prepared)
                finally:
                    self._lock.release()
        except (SQLAlchemyError, OSError, ValueError) as error:
            log.error("our keys cannot be read anew", problem=f"{type(error).__name__}: {error}")


def prepare(content_type: str, body: bytes, secure: bool) -> Prepared:
    """A document with its headers; readable from any origin because it is public (domain 11.1: CORS).

    ``secure`` says that we are reached over https, and always will be (SEC-33).
    """
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = [
        ("Content-Type", content_type),
        ("Content-Length", str(len(body))),
        ("ETag", etag),
        ("Cache-Control", f"public, max-age={_FRESH_SECONDS}"),
        ("Access-Control-Allow-Origin", "*"),
        ("X-Content-Type-Options", "nosniff"),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
        *([("Strict-Transport-Security", ONLY_HTTPS)] if secure else []),
    ]
    return Prepared(headers, etag, body)
