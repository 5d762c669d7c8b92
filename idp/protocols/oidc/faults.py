"""Errors in OAuth's form, and the JSON documents that carry them (RFC 6749 section 5.2, RFC 6750 section 3.1)."""

import json
from collections.abc import Mapping
from typing import Any, Final

from idp.protocols.message import Document

JSON: Final = "application/json"
UNCACHED: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Pragma": "no-cache",
    "Referrer-Policy": "no-referrer",
}


class Fault(Exception):
    """A request that is refused. ``code`` is one of features D.3, ``error`` OAuth's, ``sentence`` for a developer."""

    def __init__(self, code: str, error: str, sentence: str) -> None:
        super().__init__(f"{error}: {sentence}")
        self.code = code
        self.error = error
        self.sentence = sentence


class BackChannelFault(Fault):
    """A refusal at an endpoint that clients call themselves, with its status and headers."""

    def __init__(
        self, code: str, error: str, sentence: str, status: int = 400, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(code, error, sentence)
        self.status = status
        self.headers = dict(headers or {})

    @property
    def document(self) -> Document:
        """The answer; an empty ``error`` says nothing but the status (RFC 6750 section 3.1)."""
        told = {"error": self.error, "error_description": self.sentence} if self.error else {}
        return json_document(told, self.status, self.headers)


def json_document(told: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Document:
    """A JSON answer that nobody keeps (SEC-24)."""
    body = json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()
    return Document(status, JSON, body, {**UNCACHED, **(headers or {})})
