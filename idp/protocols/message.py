"""What a protocol reads and what it answers, without any web framework."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from idp.domain.assertion import Outcome
from idp.domain.login import LoginRequest
from idp.services.authentication.login import Incoming
from idp.services.work import Office, Work

__all__ = [
    "Answer",
    "Answered",
    "BadRequest",
    "Codec",
    "Document",
    "HttpMessage",
    "Incoming",
    "PostForm",
    "Redirect",
]


@dataclass(frozen=True, slots=True)
class HttpMessage:
    """A request as it came in: ``query`` is the raw query string, ``headers`` have lower-case names.

    ``certificate`` is the client certificate (DER) whose key the connection proved, empty without one.
    """

    method: str
    path: str
    query: bytes = b""
    body: bytes = b""
    content_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    certificate: bytes = b""


@dataclass(frozen=True, slots=True)
class Redirect:
    """Send the browser on; the address may carry a code, so nothing may be cached or referred (SEC-24)."""

    location: str


@dataclass(frozen=True, slots=True)
class PostForm:
    """Let the browser post these fields to the relying party, by script or by the visible button."""

    action: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Document:
    """A plain answer: JSON, XML, a token or an error of the back channel."""

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


Answer = Redirect | PostForm | Document


class BadRequest(Exception):
    """A message that is not answered to its sender: own error page, status 400 (RUL-25).

    ``code`` is one of features D.3 (``P01``...); ``facts`` are for a developer (expected, received; nothing secret);
    ``private`` is for the log alone.
    """

    def __init__(self, code: str, facts: Mapping[str, str] | None = None, private: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.facts = dict(facts or {})
        self.private = private


class Answered(Exception):
    """A faulty request whose return address is certain: the relying party hears of the fault itself."""

    def __init__(self, code: str, answer: Answer, facts: Mapping[str, str] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.answer = answer
        self.facts = dict(facts or {})


class Codec(Protocol):
    """How a protocol plugs in; adding one is a package plus one line in ``app.py``."""

    def read(self, office: Office, message: HttpMessage, now: datetime) -> Incoming:
        """Verify and read a request; raises ``BadRequest`` or ``Answered``."""
        ...

    def destination(self, asked: LoginRequest) -> str:
        """The address to which the browser will take the answer, for the policy of the pages before it."""
        ...

    def record(self, work: Work, incoming: Incoming, outcome: Outcome) -> str:
        """What the answer needs to have stored, inside the transaction that concludes: a code, or nothing."""
        ...

    def answer(self, office: Office, incoming: Incoming, outcome: Outcome, recorded: str, now: datetime) -> Answer:
        """The message that carries the outcome; called after the commit."""
        ...
