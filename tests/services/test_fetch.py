"""The guarded way out: what it fetches, and from whom it lets itself be led astray (SEC-23)."""

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from idp.effects.fetch import Bounds, GuardedFetcher, Request
from idp.ports import FetchFailed

LABORATORY = Bounds(octets=1000, seconds=1.0, laboratory=True)


class _Host(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        name = self.path.partition("?")[0]
        if name in _ELSEWHERE:
            self.send_response(302)
            self.send_header("Location", _ELSEWHERE[name])
            self.end_headers()
            return
        if name == "/missing":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        if name == "/drop-by-drop":
            for _ in range(100):
                self.wfile.write(b".")
                self.wfile.flush()
                time.sleep(0.1)
            return
        self.wfile.write(b"x" * 1001 if name == "/large" else b"found " + self.path.encode())

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


_ELSEWHERE = {
    "/moved": "/document?a=1",
    "/round": "/round",
    "/away": "https://elsewhere.example.test/document",
    "/inside": "http://localhost:1/",
    "/nowhere": "file:///etc/passwd",
}


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    """The address of a host on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Host)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def fetch(url: str, bounds: Bounds = LABORATORY) -> bytes:
    """The octets at an address."""
    return GuardedFetcher(bounds, time.monotonic).get(url).octets


def test_a_document_is_fetched_and_a_redirect_within_its_host_followed(host: str) -> None:
    """Query and path arrive as they are, also after one move within the same host."""
    assert fetch(f"{host}/document?b=2#part") == b"found /document?b=2"
    assert fetch(f"{host}/moved") == b"found /document?a=1"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/away", "sends us on"),
        ("/inside", "sends us on"),
        ("/nowhere", "no web address"),
        ("/round", "more than 3 times"),
        ("/missing", "status 404"),
        ("/large", "larger than 1000"),
        ("/drop-by-drop", "cannot be fetched|longer than"),
    ],
)
def test_a_host_cannot_lead_astray(host: str, path: str, said: str) -> None:
    """No other host, no endless way, no endless document and no endless wait."""
    with pytest.raises(FetchFailed, match=said):
        fetch(host + path)


def test_a_body_is_never_sent_on(host: str) -> None:
    """What was meant for one address is not posted to another."""
    with pytest.raises(FetchFailed, match="sends us on"):
        GuardedFetcher(LABORATORY, time.monotonic).send(Request(f"{host}/moved", body=b"secret"))


@pytest.mark.parametrize("laboratory", [True, False])
@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize(
    "addresses",
    [("10.0.0.1",), ("169.254.169.254",), ("fd00::1",), ("0.0.0.0",), ("93.184.216.34", "127.0.0.1")],
    ids=str,
)
def test_no_network_of_ours_is_called(
    monkeypatch: pytest.MonkeyPatch, addresses: tuple[str, ...], scheme: str, laboratory: bool
) -> None:
    """A name that leads to an inner address, or to one beside a public one, is never called."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_given, **_named: found)
    with pytest.raises(FetchFailed, match=r"not safe|not public"):
        fetch(f"{scheme}://federation.example.test/", Bounds(seconds=1.0, laboratory=laboratory))


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "https://127.0.0.1:1/", "https://[::1]:1/"])
def test_loopback_is_for_the_laboratory(url: str) -> None:
    """Outside of it this machine is not called, over whatever protocol."""
    with pytest.raises(FetchFailed, match=r"not safe|not public"):
        fetch(url, Bounds(seconds=1.0))


@pytest.mark.parametrize("host", ["a..test", ".test", f"{'a' * 64}.test"])
def test_what_is_no_name_of_a_host_cannot_be_fetched(host: str) -> None:
    """A name that no resolver takes is a sentence for the operator as any other that leads nowhere (SEC-2)."""
    with pytest.raises(FetchFailed, match="cannot be fetched"):
        fetch(f"https://{host}/", Bounds(seconds=1.0))


@pytest.mark.parametrize(
    "url", ["ftp://a.test/", "https://", "https://a b/", "https://u:p@a.test/", "https://a.test:x/", "x"]
)
def test_what_is_no_web_address_is_not_fetched(url: str) -> None:
    """An address of another kind, with a name and password, or broken is refused before anything is called."""
    with pytest.raises(FetchFailed, match="no web address"):
        fetch(url)
