"""Artifacts of type 4: a reference to a message, by which its receiver fetches it (domain 3.7)."""

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from typing import Final

from idp.protocols.saml.xmlsec.refusal import Fault, Refused
from idp.protocols.saml.xmlsec.xml import decode_base64

HANDLE: Final = 20
_TYPE: Final = b"\x00\x04"
_LENGTH: Final = 44


@dataclass(frozen=True, slots=True)
class Artifact:
    """``index`` names the resolution service of the issuer, ``source`` the issuer, ``handle`` the message."""

    index: int
    source: bytes
    handle: bytes

    @property
    def text(self) -> str:
        """The artifact as it travels."""
        return b64encode(_TYPE + self.index.to_bytes(2) + self.source + self.handle).decode()


def source_of(entity_id: str) -> bytes:
    """The SourceID of an entity: an address to look it up by, not a proof of anything."""
    return hashlib.sha1(entity_id.encode(), usedforsecurity=False).digest()


def read_artifact(text: str) -> Artifact:
    """An artifact of type 4; ``Refused(MALFORMED)`` for anything else."""
    octets = decode_base64(text)
    if len(octets) != _LENGTH or not octets.startswith(_TYPE):
        raise Refused(Fault.MALFORMED, f"an artifact of {len(octets)} octets and type {octets[:2].hex()}")
    return Artifact(int.from_bytes(octets[2:4]), octets[4:24], octets[24:])
