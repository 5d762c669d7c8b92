"""The server of a relying party: gives out what it is told to, and remembers what it was sent."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Heard:
    """A request that came."""

    method: str
    path: str
    query: dict[str, list[str]]
    content_type: str
    form: dict[str, list[str]]


@dataclass
class Hearing:
    """The running server: ``documents`` (media type, text) by path; ``statuses`` to answer with, the last one stays."""

    url: str
    documents: dict[str, tuple[str, str]] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=lambda: [200])
    heard: list[Heard] = field(default_factory=list)

    def give(self, path: str, document: Any) -> str:
        """Give out JSON at a path; answers its address."""
        self.documents[path] = ("application/json", json.dumps(document))
        return self.url + path

    def at(self, path: str) -> list[Heard]:
        """What came at a path."""
        return [one for one in self.heard if one.path == path]


@contextmanager
def hearing() -> Iterator[Hearing]:
    """A server on this machine while the block runs."""
    made = Hearing("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers.get("Content-Length", "0"))))

        def _answer(self, body: bytes) -> None:
            parts, kind = urlsplit(self.path), self.headers.get("Content-Type", "")
            form = parse_qs(body.decode()) if kind == "application/x-www-form-urlencoded" else {}
            made.heard.append(Heard(self.command, parts.path, parse_qs(parts.query), kind, form))
            media_type, text = made.documents.get(parts.path, ("text/html", "<!doctype html><title>Client</title>"))
            status = made.statuses.pop(0) if len(made.statuses) > 1 else made.statuses[0]
            self.send_response(status)
            if status != 204:
                self.send_header("Content-Type", media_type)
                self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            if status != 204:
                self.wfile.write(text.encode())

        def log_message(self, *_given: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://localhost:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
