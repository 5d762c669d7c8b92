"""What a demo portal received: values, what it verified, and the message itself; in the words of no protocol."""

from dataclasses import dataclass, field
from enum import StrEnum


class Check(StrEnum):
    """What a portal verifies before it believes a word."""

    FORM = "form"
    STATE = "state"
    SIGNATURE = "signature"
    ASSERTION_SIGNATURE = "assertion-signature"
    ISSUER = "issuer"
    DESTINATION = "destination"
    REQUEST = "request"
    AUDIENCE = "audience"
    TIME = "time"
    NONCE = "nonce"
    EXCHANGE = "exchange"
    SUBJECT = "subject"


class Ending(StrEnum):
    """How a login ended for the portal."""

    GRANTED = "granted"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class Disbelieved(Exception):
    """A check failed: nothing else of the message is looked at."""


@dataclass(frozen=True, slots=True)
class Received:
    """What a portal made of a message; ``status`` is what it was told instead of values, ``""`` when granted.

    ``raw`` holds the messages for reading, by name.
    """

    ending: Ending
    status: str
    values: tuple[tuple[str, str], ...]
    checks: tuple[tuple[Check, bool], ...]
    raw: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Scrutiny:
    """What is found while a message is examined; ``opened`` are the parts that were encrypted."""

    checks: list[tuple[Check, bool]] = field(default_factory=list)
    raw: list[tuple[str, str]] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)

    def need(self, check: Check, holds: bool) -> None:
        """Note a check; raises ``Disbelieved`` when it fails."""
        self.checks.append((check, holds))
        if not holds:
            raise Disbelieved(check.value)

    def received(self, ending: Ending, status: str = "", values: tuple[tuple[str, str], ...] = ()) -> Received:
        """What came of it."""
        opened = [("opened", "\n".join(self.opened))] if self.opened else []
        # A response and the assertion inside it answer to the same checks; each is told once, at its worst.
        judged = {check: all(ok for one, ok in self.checks if one is check) for check, _ in self.checks}
        return Received(ending, status, values, tuple(judged.items()), (*self.raw, *opened))

    def disbelieved(self) -> Received:
        """A message that is not believed: its values are worth nothing."""
        failed = self.checks[-1][0].value if self.checks else ""
        return self.received(Ending.REFUSED, f"not believed: {failed}")
