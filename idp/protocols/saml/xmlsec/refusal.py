"""The one way in which the XML core says no: a public sentence and a private detail."""

from enum import StrEnum
from typing import Final

LONGEST_DETAIL: Final = 1000
"""A detail quotes what it refuses; a log line stays a line (SEC-3)."""


class Fault(StrEnum):
    """What kind of thing is wrong; the codec maps it to a protocol code."""

    TOO_LARGE = "too-large"
    MALFORMED = "malformed"
    FORBIDDEN = "forbidden"
    SCHEMA = "schema"
    SIGNATURE = "signature"
    DECRYPTION = "decryption"


_PUBLIC: Final = {
    Fault.TOO_LARGE: "The message is too large.",
    Fault.MALFORMED: "The message is not well-formed.",
    Fault.FORBIDDEN: "The message contains XML that is not allowed here.",
    Fault.SCHEMA: "The message does not follow the SAML schema.",
    Fault.SIGNATURE: "The signature of the message is not acceptable.",
    Fault.DECRYPTION: "The message cannot be decrypted.",
}


class Refused(Exception):
    """Input that is not accepted: ``fault`` for programs, ``public`` for anyone, ``detail`` for the log (SEC-2)."""

    def __init__(self, fault: Fault, detail: str) -> None:
        self.fault = fault
        self.detail = detail[:LONGEST_DETAIL]
        super().__init__(f"{fault}: {self.detail}")

    @property
    def public(self) -> str:
        """One sentence that tells nothing about our insides."""
        return _PUBLIC[self.fault]
