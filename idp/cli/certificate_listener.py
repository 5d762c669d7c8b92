"""The certificate listener: the same application over TLS that asks for a certificate, beside the server (RUL-29).

It takes whatever certificate a browser shows and proves to hold the key of: what is wrong with it is judged in the
application, so that people get a page and no broken connection. Only what has to do with certificates is served here.
"""

import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from multiprocessing import connection, get_context, parent_process
from multiprocessing.process import BaseProcess
from signal import SIG_IGN, SIGINT, signal
from typing import Any

from cheroot import wsgi as cheroot
from cheroot.ssl.pyopenssl import pyOpenSSLAdapter
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL

_SERVED = ("/certificaat/", "/saml/artifact", "/saml/1.13/artifact", "/saml/1.11/artifact", "/oidc/", "/static/")
_THREADS = 4
# Suites of TLS 1.2 with forward secrecy and authenticated encryption; those of TLS 1.3 all have both.
_CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20"


@dataclass(frozen=True, slots=True)
class Listening:
    """Where to listen, and with which certificate (PEM files)."""

    host: str
    port: int
    certificate: str
    key: str


def start(listening: Listening) -> BaseProcess:
    """A process of its own that ends with this one; settings come as to every worker, from ``IDP_CONFIG``."""
    process = get_context("spawn").Process(target=_run, args=(listening,), daemon=True)
    process.start()
    return process


def _run(listening: Listening) -> None:
    # Ctrl-C reaches the whole group; we end when the one who started us has ended.
    signal(SIGINT, SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from idp.app import wsgi
    from idp.web.http import SHOWN

    server = cheroot.Server((listening.host, listening.port), _only_certificates(wsgi()), numthreads=_THREADS)
    server.gateway = _gateway(SHOWN)
    server.ssl_adapter = pyOpenSSLAdapter(listening.certificate, listening.key)
    server.ssl_adapter.context = _context(listening)
    server.start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(0)


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


def _gateway(key: str) -> type[Any]:
    base: Any = cheroot.Gateway_10

    class Gateway(base):  # type: ignore[misc]  # the library's own types say that it answers nothing
        """Hands over what was shown on the connection, the person's certificate first."""

        def get_environ(self) -> dict[str, Any]:
            environ: dict[str, Any] = super().get_environ()
            shown = self.req.conn.socket
            own = shown.get_peer_certificate(as_cryptography=True)
            chain = shown.get_peer_cert_chain(as_cryptography=True) or []
            if own is not None:
                further = [one for one in chain if one != own]
                environ[key] = tuple(one.public_bytes(Encoding.DER) for one in (own, *further))
            return environ

    return Gateway


def _only_certificates(application: Any) -> Any:
    def served(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ.get("PATH_INFO", "").startswith(_SERVED):
            found: Iterable[bytes] = application(environ, start_response)
            return found
        start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
        return [b"Only certificates are shown here.\n"]

    return served
