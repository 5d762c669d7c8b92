"""Documents that only change with our keys or catalogue: prebuilt bytes, answered before Flask."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from idp.web.headers import ONLY_HTTPS

Environ = dict[str, Any]
Start = Callable[..., Any]
Application = Callable[[Environ, Start], Iterable[bytes]]
_FRESH_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document ready to be sent."""

    headers: list[tuple[str, str]]
    etag: str
    body: bytes


class Documents:
    """Answers metadata, JWKS and discovery from memory and hands everything else on (performance: P8)."""

    def __init__(self, application: Application, documents: Mapping[str, tuple[str, bytes]], secure: bool) -> None:
        self._application = application
        self._prepared = {path: prepare(kind, body, secure) for path, (kind, body) in documents.items()}

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        """The WSGI entry."""
        prepared = self._prepared.get(environ["PATH_INFO"])
        if prepared is None or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return self._application(environ, start)
        if environ.get("HTTP_IF_NONE_MATCH") == prepared.etag:
            start("304 Not Modified", [("ETag", prepared.etag)])
            return ()
        start("200 OK", prepared.headers)
        return (prepared.body,) if environ["REQUEST_METHOD"] == "GET" else ()


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
