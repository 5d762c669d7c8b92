"""LogoutRequest and LogoutResponse, as values and as octets (domain 3.8, 12.8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from idp.ports import SigningKey
from idp.protocols.saml.names import NameId
from idp.protocols.saml.request.authn_request import LONGEST_ID
from idp.protocols.saml.status import PARTIAL_LOGOUT, SUCCESS
from idp.protocols.saml.times import read_instant, write_instant
from idp.protocols.saml.voice import Voice
from idp.protocols.saml.xmlsec.decryption import DecryptionKey, decrypt
from idp.protocols.saml.xmlsec.encryption import KeyTransport
from idp.protocols.saml.xmlsec.refusal import Fault, Refused
from idp.protocols.saml.xmlsec.signing import sign_canonical
from idp.protocols.saml.xmlsec.xml import SAML, SAMLP, Element, escape_attribute, escape_text

LOGOUT_REQUEST: Final = f"{{{SAMLP}}}LogoutRequest"
LOGOUT_RESPONSE: Final = f"{{{SAMLP}}}LogoutResponse"
PARTLY: Final = (
    f'<samlp:Status><samlp:StatusCode Value="{SUCCESS}"><samlp:StatusCode Value="{PARTIAL_LOGOUT}">'
    "</samlp:StatusCode></samlp:StatusCode></samlp:Status>"
)
_NAME_ID: Final = f"{{{SAML}}}NameID"
_ENCRYPTED: Final = f"{{{SAML}}}EncryptedID"
_INDEX: Final = f"{{{SAMLP}}}SessionIndex"
_CODE: Final = f"{{{SAMLP}}}StatusCode"
_LONGEST_NAME: Final = 1024
_MOST_INDEXES: Final = 50
_HASHES: Final = {KeyTransport.OAEP_SHA1: "sha1", KeyTransport.OAEP_SHA256: "sha256"}
# How long a request of ours may take to reach its receiver.
_VALID_FOR: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A key of ours that others encrypt for."""

    key: SigningKey

    def unwrap(self, transport: KeyTransport, wrapped: bytes) -> bytes:
        """The session key; ``ValueError`` when this key cannot."""
        return self.key.unwrap(_HASHES[transport], wrapped)


@dataclass(frozen=True, slots=True)
class Name:
    """A NameID as somebody wrote it; empty for what it leaves out."""

    value: str
    format: str = ""
    qualifier: str = ""
    sp_qualifier: str = ""


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """A request to end sessions; what it leaves out is None or empty."""

    id: str
    version: str
    issued_at: datetime
    ends_at: datetime | None
    destination: str | None
    name: Name
    indexes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LogoutResponse:
    """The answer to a request of ours; ``whole`` when nobody behind its sender is still logged in."""

    in_response_to: str
    success: bool
    whole: bool


def read_logout_request(root: Element, keys: Sequence[DecryptionKey]) -> LogoutRequest:
    """The request of a schema-valid element that somebody vouches for; ``Refused`` when a value is out of bounds."""
    identifier, ends = root.get("ID", ""), root.get("NotOnOrAfter")
    indexes = tuple((one.text or "").strip() for one in root.findall(_INDEX))
    if not 0 < len(identifier) <= LONGEST_ID or len(indexes) > _MOST_INDEXES:
        raise Refused(Fault.SCHEMA, "an ID of no bounded length, or too many sessions")
    return LogoutRequest(
        id=identifier,
        version=root.get("Version", ""),
        issued_at=read_instant(root.get("IssueInstant", "")),
        ends_at=read_instant(ends) if ends is not None else None,
        destination=root.get("Destination"),
        name=_name(root, keys),
        indexes=tuple(one[:_LONGEST_NAME] for one in indexes if one),
    )


def read_logout_response(root: Element) -> LogoutResponse:
    """The answer in a schema-valid element."""
    codes = [one.get("Value", "") for one in root.iter(_CODE)]
    success = codes[:1] == [SUCCESS]
    return LogoutResponse(root.get("InResponseTo", "")[:LONGEST_ID], success, success and PARTIAL_LOGOUT not in codes)


def _name(root: Element, keys: Sequence[DecryptionKey]) -> Name:
    sealed = root.find(_ENCRYPTED)
    node = root.find(_NAME_ID) if sealed is None else decrypt(sealed, _NAME_ID, keys)
    if node is None:
        raise Refused(Fault.SCHEMA, "a LogoutRequest without NameID")
    value, qualifiers = (node.text or "").strip(), ("Format", "NameQualifier", "SPNameQualifier")
    if not value or len(value) > _LONGEST_NAME:
        raise Refused(Fault.SCHEMA, "a NameID of no bounded length")
    return Name(value, *(node.get(one, "") for one in qualifiers))


@dataclass(frozen=True, slots=True)
class Whom:
    """Whom a request of ours is about, and which session."""

    name: str
    format: NameId
    sp: str
    index: str


def write_logout_request(voice: Voice, identifier: str, location: str, whom: Whom, *, signed: bool) -> bytes:
    """A LogoutRequest in canonical form; unsigned for Redirect, where the query is signed."""
    head = (
        f'<samlp:LogoutRequest xmlns:samlp="{SAMLP}" Destination="{escape_attribute(location)}" ID="{identifier}" '
        f'IssueInstant="{write_instant(voice.now)}" NotOnOrAfter="{write_instant(voice.now + _VALID_FOR)}" '
        f'Version="2.0">{_issuer(voice)}'
    )
    issuer = escape_attribute(voice.names.issuer)
    tail = (
        f'<saml:NameID xmlns:saml="{SAML}" Format="{whom.format}" NameQualifier="{issuer}" '
        f'SPNameQualifier="{escape_attribute(whom.sp)}">{escape_text(whom.name)}</saml:NameID>'
        f"<samlp:SessionIndex>{escape_text(whom.index)}</samlp:SessionIndex></samlp:LogoutRequest>"
    )
    return _written(head, tail, voice, signed)


def write_logout_response(voice: Voice, request: str, location: str, status: str, *, signed: bool) -> bytes:
    """A LogoutResponse in canonical form; ``location`` is empty over SOAP, ``status`` is the element."""
    destination = f' Destination="{escape_attribute(location)}"' if location else ""
    head = (
        f'<samlp:LogoutResponse xmlns:samlp="{SAMLP}"{destination} ID="{voice.new_id()}" '
        f'InResponseTo="{escape_attribute(request)}" IssueInstant="{write_instant(voice.now)}" Version="2.0">'
        f"{_issuer(voice)}"
    )
    return _written(head, f"{status}</samlp:LogoutResponse>", voice, signed)


def _issuer(voice: Voice) -> str:
    return f'<saml:Issuer xmlns:saml="{SAML}">{escape_text(voice.names.issuer)}</saml:Issuer>'


def _written(head: str, tail: str, voice: Voice, signed: bool) -> bytes:
    return sign_canonical(head.encode(), tail.encode(), voice.signatory) if signed else (head + tail).encode()
