"""From a received message to a verified request of a known relying party (domain 3.2.2, steps 2 to 4)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from idp.domain.demand import Reading
from idp.domain.parties import Party
from idp.protocols.message import BadRequest
from idp.protocols.saml.dialects import DIALECTS, Dialect
from idp.protocols.saml.metadata.sp_metadata import SpMetadata, of_party
from idp.protocols.saml.request.authn_request import AUTHN_REQUEST, AuthnRequest, read_authn_request, read_issuer
from idp.protocols.saml.request.redirect import verify_redirect
from idp.protocols.saml.request.transport import RELAY_STATE_STRICT, Received, bad_request, too_long
from idp.protocols.saml.xmlsec.algorithms import MOST_KEYS, VerificationKey
from idp.protocols.saml.xmlsec.refusal import Fault, Refused
from idp.protocols.saml.xmlsec.signature import verify
from idp.protocols.saml.xmlsec.xml import DS, Element, Schemas, parse, parse_canonical
from idp.services.work import Office

_SIGNATURE: Final = f"{{{DS}}}Signature"
_METHOD: Final = f"{{{DS}}}Signature/{{{DS}}}SignedInfo/{{{DS}}}SignatureMethod"


@dataclass(frozen=True, slots=True)
class Verified:
    """A request that its sender vouches for, or that a waiver lets pass unsigned (RUL-23)."""

    party: Party
    dialect: Dialect
    metadata: SpMetadata
    request: AuthnRequest
    relay_state: str | None

    @property
    def strict(self) -> bool:
        """Whether the letter is held against this party (RUL-24)."""
        return self.party.settings.reading is Reading.STRICT

    @property
    def by_the_book(self) -> bool:
        """Whether the letter of the scheme is held against this party."""
        return self.strict and self.dialect.scheme


def verified(office: Office, received: Received, schemas: Schemas, now: datetime) -> Verified:
    """The request in a message, in the order of the scheme; every fault is a ``BadRequest``: own page (RUL-25).

    P10 for what is no SAML request, P01 for an unknown sender, P14 for unusable metadata, P02 for the signature.
    """
    root = opened(received, schemas, (AUTHN_REQUEST,))
    found = vouched(office, received, root, now, waivable=True)
    try:
        request = read_authn_request(found.root)
    except Refused as refused:
        raise bad_request(refused, detail=refused.detail[:300]) from refused
    sender = found.sender
    hold_to_form(received, sender.party)
    return Verified(sender.party, sender.dialect, sender.metadata, request, received.relay_state)


def opened(received: Received, schemas: Schemas, tags: tuple[str, ...]) -> Element:
    """The schema-valid root of a message of one of these kinds, which nobody vouches for yet; ``BadRequest`` P10."""
    try:
        root = parse(received.octets)
        schemas.validate(root)
        if root.tag not in tags:
            raise Refused(Fault.SCHEMA, f"a {root.tag!r} where {' or '.join(tags)} belongs")
    except Refused as refused:
        raise bad_request(refused, detail=refused.detail[:300]) from refused
    return root


def vouched(office: Office, received: Received, root: Element, now: datetime, *, waivable: bool) -> "Vouched":
    """A message that its registered sender signed; ``waivable``: unless it need not (RUL-23).

    Raises ``BadRequest``: P10 without an Issuer, P01 for an unknown sender, P14 for unusable metadata, P02.
    """
    try:
        issuer = read_issuer(root)
    except Refused as refused:
        raise bad_request(refused, detail=refused.detail[:300]) from refused
    if received.sender not in ("", issuer):
        raise BadRequest("P01", {"field": "Issuer", "expected": received.sender, "received": issuer})
    sender = sender_of(office, issuer, now)
    method = _method(received, root)
    try:
        return Vouched(sender, _vouched(received, root, sender, waivable and sender.unsigned))
    except Refused as refused:
        raise bad_request(refused, **_explained(refused, method, sender.metadata)) from refused


@dataclass(frozen=True, slots=True)
class Sender:
    """A registered relying party that a message names as its sender, and what it must be held against."""

    party: Party
    dialect: Dialect
    metadata: SpMetadata
    now: datetime

    @property
    def unsigned(self) -> bool:
        """Whether its requests may come without a signature (RUL-23)."""
        return not self.dialect.scheme and not self.party.settings.require_signed_requests

    @property
    def keys(self) -> list[VerificationKey]:
        """The registered keys that are valid now; the lenient reading takes others when there is none (SEC-12).

        Those that metadata list come first, so of many former ones it is the oldest that are tried no more.
        """
        strict = self.party.settings.reading is Reading.STRICT
        counting = [one for one in self.metadata.signing if one.counts(self.now)]
        valid = [one.key for one in counting if one.valid(self.now)]
        return (valid if valid or strict else [one.key for one in counting])[:MOST_KEYS]


@dataclass(frozen=True, slots=True)
class Vouched:
    """A message with the sender that vouches for it; look at nothing but this element (SEC-9)."""

    sender: Sender
    root: Element


def sender_of(office: Office, entity_id: str, now: datetime) -> Sender:
    """The relying party of an entity ID; raises ``BadRequest`` P01 when it is unknown, P14 for unusable metadata."""
    party = office.directory.party("saml", entity_id)
    dialect = DIALECTS.get(party.settings.profile) if party is not None else None
    if party is None or dialect is None:
        raise BadRequest("P01", {"field": "Issuer", "received": entity_id})
    return Sender(party, dialect, _metadata(office, party, now), now)


def _metadata(office: Office, party: Party, now: datetime) -> SpMetadata:
    try:
        metadata = office.directory.parsed(party, of_party)
    except (Refused, ValueError) as error:
        raise BadRequest("P14", {"field": "metadata", "received": party.identity}, str(error)) from error
    late = metadata.valid_until is not None and metadata.valid_until < now
    if late and party.settings.reading is Reading.STRICT:
        raise BadRequest("P14", {"field": "validUntil", "received": f"{metadata.valid_until:%Y-%m-%dT%H:%M:%SZ}"})
    return metadata


def _vouched(received: Received, root: Element, sender: Sender, unsigned: bool) -> Element:
    """The element that is covered by the signature, and nothing else of the message (SEC-9)."""
    enveloped = root.find(_SIGNATURE) is not None
    if received.query is not None:
        if enveloped:
            raise Refused(Fault.SIGNATURE, "a signature inside a message that the query signs")
        if received.query.signature is None and unsigned:
            return root
        # The signature covers the octets of the query, and those inflated to the very tree that was validated.
        verify_redirect(received.query, sender.keys)
        return root
    if not enveloped and unsigned and next(root.iter(_SIGNATURE), None) is None:
        return root
    return parse_canonical(verify(root, str(root.tag), sender.keys))


def _method(received: Received, root: Element) -> str:
    """The algorithm a message says it is signed with; for the explanation only."""
    if received.query is not None:
        return received.query.method or ""
    node = root.find(_METHOD)
    return node.get("Algorithm", "") if node is not None else ""


def _explained(refused: Refused, method: str, metadata: SpMetadata) -> dict[str, str]:
    if refused.fault is not Fault.SIGNATURE:
        return {"detail": refused.detail[:300]}
    tried = ", ".join(one.fingerprint for one in metadata.signing)
    return {
        "field": "Signature",
        "expected": f"a signature by a registered certificate (SHA-256 {tried or 'none is registered'})",
        "received": method or "no signature",
    }


def hold_to_form(received: Received, party: Party) -> None:
    """What only the strict reading minds about the way a message came (RC-6, G-2)."""
    if party.settings.reading is not Reading.STRICT:
        return
    if received.deflated:
        raise BadRequest("P10", {"field": "SAMLRequest", "expected": "base64 of XML", "received": "base64 of DEFLATE"})
    if received.relay_state is not None and len(received.relay_state.encode()) > RELAY_STATE_STRICT:
        raise too_long(received.relay_state, RELAY_STATE_STRICT)
