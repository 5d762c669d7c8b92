"""The certificate listener: the same application over TLS that asks for a certificate, beside the server (RUL-29).

It takes whatever certificate a browser shows and proves to hold the key of: what is wrong with it is judged in the
application, so that people get a page and no broken connection. Only what has to do with certificates is served here.
"""

import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from socket import SHUT_RDWR, SHUT_WR, socket
from typing import Any

from cheroot import wsgi as cheroot
from cheroot.server import HTTPConnection
from cheroot.ssl.pyopenssl import pyOpenSSLAdapter
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL

from idp.cli.listening import BACKLOG, Listening
from idp.effects.revocation import UNREADABLE

_SERVED = ("/certificaat/", "/saml/artifact", "/saml/1.13/artifact", "/saml/1.11/artifact", "/oidc/", "/static/")
_THREADS = 16
# Connections that wait for a thread or between two requests.
_MOST_WAITING = 512
# From the first octet of a handshake or request to the last one of its answer; longer than an answer about revocation.
_LONGEST_TURN = 30.0
# How long the next octets of a refused body are waited for, and how many are heard out.
_FAREWELL, _CHUNK, _MOST_FURTHER = 5.0, 64 * 1024, 64
_LONGEST_HEAD = 64 * 1024
# Suites of TLS 1.2 with forward secrecy and authenticated encryption; those of TLS 1.3 all have both.
_CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20"


def run(listening: Listening) -> None:
    """Serve for ever; while it does, the lock on its key tells so to whoever asks after our health."""
    from idp.app import wsgi
    from idp.effects.presence import hold
    from idp.web.shell.http import LARGEST_BODY, SHOWN

    server = _server(listening.socket, _only_certificates(wsgi()))
    server.max_request_header_size, server.max_request_body_size = _LONGEST_HEAD, LARGEST_BODY
    server.gateway, server.ConnectionClass = _gateway(SHOWN), _connection()
    server.keep_alive_conn_limit = _MOST_WAITING
    server.ssl_adapter = pyOpenSSLAdapter(listening.certificate, listening.key)
    server.ssl_adapter.context = _context(listening)
    with hold(Path(listening.key)):
        server.start()


def _context(listening: Listening) -> SSL.Context:
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_cipher_list(_CIPHERS)
    context.use_certificate_chain_file(listening.certificate)
    context.use_privatekey_file(listening.key)
    # A resumed connection would bring yesterday's certificate without its key being proven again.
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_RENEGOTIATION)
    context.set_verify(SSL.VERIFY_PEER, lambda *_told: True)
    return context


def _server(taken: socket, application: Any) -> Any:
    base: Any = cheroot.Server

    class Server(base):  # type: ignore[misc]  # the library has no types
        """Listens on a socket that is bound already."""

        def bind(self, *_family: Any) -> Any:
            self.socket = self.ssl_adapter.bind(taken)
            return self.socket

        def process_conn(self, conn: Any) -> None:
            """Give a thread to who has said something; who only connected waits without one, and not for ever."""
            if conn.heard:
                super().process_conn(conn)
            elif self.can_add_keepalive_connection:
                conn.heard = True
                self._connections.put(conn)
            else:
                conn.close()

    return Server(taken.getsockname()[:2], application, numthreads=_THREADS, request_queue_size=BACKLOG)


def _connection() -> type[Any]:
    base: Any = HTTPConnection

    class Connection(base):  # type: ignore[misc]  # the library has no types
        """One visitor, who is hung up on when a turn takes too long; what goes wrong ends this connection alone."""

        def __init__(self, server: Any, sock: Any, *further: Any) -> None:
            # The library takes a full buffer of a socket with a timeout for the end of an answer.
            sock.settimeout(None)
            super().__init__(server, sock, *further)
            self.heard = False

        def communicate(self) -> bool:
            guard = threading.Timer(_LONGEST_TURN, self._hang_up)
            guard.start()
            try:
                return bool(super().communicate()) or _see_out(self.socket)
            except (SSL.Error, OSError):
                return False
            finally:
                guard.cancel()

        def close(self) -> None:
            # No farewell may be waited for; and an error here would end the whole listener.
            with suppress(SSL.Error, OSError):
                self.socket.settimeout(0)
                super().close()
            with suppress(SSL.Error, OSError):
                self.socket.close()

        def _hang_up(self) -> None:
            with suppress(OSError):
                self.socket.sock_shutdown(SHUT_RDWR)

    return Connection


def _see_out(visitor: SSL.Connection) -> bool:
    """Hear out who is still talking, for a moment, so that our answer is read before the end; then no more."""
    visitor.shutdown()
    visitor.sock_shutdown(SHUT_WR)
    with socket(fileno=os.dup(visitor.fileno())) as further:
        further.settimeout(_FAREWELL)
        for _ in range(_MOST_FURTHER):
            if not further.recv(_CHUNK):
                break
    return False


def _gateway(key: str) -> type[Any]:
    base: Any = cheroot.Gateway_10

    class Gateway(base):  # type: ignore[misc]  # the library's own types say that it answers nothing
        """Hands over what was shown on the connection, the person's certificate first."""

        def get_environ(self) -> dict[str, Any]:
            environ: dict[str, Any] = super().get_environ()
            if shown := _shown(self.req.conn.socket):
                environ[key] = shown
            return environ

    return Gateway


def _shown(visitor: SSL.Connection) -> tuple[bytes, ...]:
    """The certificate whose key the visitor proved to hold, then what was sent along; an empty text when unreadable."""
    try:
        own = visitor.get_peer_certificate(as_cryptography=True)
        chain = visitor.get_peer_cert_chain(as_cryptography=True) or []
    except UNREADABLE:
        return (b"",)
    further = [one for one in chain if one != own]
    return tuple(one.public_bytes(Encoding.DER) for one in (own, *further) if one is not None)


def _only_certificates(application: Any) -> Any:
    def served(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ.get("PATH_INFO", "").startswith(_SERVED):
            found: Iterable[bytes] = application(environ, start_response)
            return found
        start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
        return [b"Only certificates are shown here.\n"]

    return served
