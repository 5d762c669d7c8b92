"""The application behind a real socket: what a browser of a test asks travels as HTTP/1.1, byte for byte."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from threading import Thread
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from cheroot import wsgi

LOOPBACK = "127.0.0.1"
SECONDS = 60
_UNPREFIXED = {"CONTENT_TYPE", "CONTENT_LENGTH"}


class Wire:
    """Carries each request of werkzeug's test client over a socket, and the answer back.

    The client keeps its cookies and follows redirects as in every other test. A ``REMOTE_ADDR`` of 127.0.0.0/8 is the
    address the connection comes from.
    """

    def __init__(self, port: int) -> None:
        self._port = port

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Ask the server what a client asks, and answer what the server answers."""
        source = environ.get("REMOTE_ADDR", LOOPBACK)
        connection = HTTPConnection(LOOPBACK, self._port, timeout=SECONDS, source_address=(source, 0))
        try:
            connection.putrequest(
                environ["REQUEST_METHOD"], _target(environ), skip_host=True, skip_accept_encoding=True
            )
            for name, value in _headers(environ):
                connection.putheader(name, value)
            connection.endheaders(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        start_response(f"{answer.status} {answer.reason}", answer.getheaders())
        return [body]


@contextmanager
def over_http(app: WSGIApplication, at_once: int = 24) -> Iterator[Wire]:
    """Serve an application on a free port of loopback, so many requests at once; ends the server afterwards."""
    server: Any = wsgi.Server((LOOPBACK, 0), app, numthreads=at_once, request_queue_size=2 * at_once)
    # How long it takes to notice that it is to stop.
    server.expiration_interval = 0.02
    server.prepare()
    serving = Thread(target=server.serve, daemon=True)
    serving.start()
    try:
        yield Wire(server.bind_addr[1])
    finally:
        server.stop()
        serving.join(SECONDS)


def _target(environ: WSGIEnvironment) -> str:
    query = environ.get("QUERY_STRING", "")
    return f"{environ['REQUEST_URI'].partition('?')[0]}?{query}" if query else str(environ["REQUEST_URI"])


def _headers(environ: WSGIEnvironment) -> Iterator[tuple[str, str]]:
    for name, value in environ.items():
        if (name.startswith("HTTP_") or name in _UNPREFIXED) and value:
            yield name.removeprefix("HTTP_").replace("_", "-").title(), str(value)
