"""Which web pages may call the back channel: those of the client's own origins (domain 11.1)."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from idp.protocols.message import Document, HttpMessage
from idp.protocols.oidc.client.client import Client

_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]{1,255}", re.ASCII)
_PREFLIGHT: Final[Mapping[str, str]] = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, DPoP",
    "Access-Control-Max-Age": "600",
}


def preflight(message: HttpMessage) -> Document:
    """A browser asks whether a page may call: it may try, without cookies; the answer decides who may read it."""
    return with_origin(Document(204, "text/plain", b"", _PREFLIGHT), message, None)


def with_origin(document: Document, message: HttpMessage, client: Client | None) -> Document:
    """Let the page that asked read the answer.

    An answer for a client is for the origins of its redirect addresses; errors hold nothing secret and are for all.
    """
    origin = message.headers.get("origin", "")
    headers = {**document.headers, "Vary": "Origin"}
    if _ORIGIN.fullmatch(origin) and (client is None or origin in _origins(client)):
        headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Expose-Headers"] = "WWW-Authenticate, DPoP-Nonce"
    return replace(document, headers=headers)


def _origins(client: Client) -> set[str]:
    parts = (urlsplit(one) for one in client.redirect_uris)
    return {f"{one.scheme}://{one.netloc}" for one in parts if one.scheme in ("http", "https")}
