"""Our artifact resolution service: a signed question over SOAP, a signed answer with the kept Response (domain 3.7)."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from idp.protocols.message import BadRequest, Document, HttpMessage
from idp.protocols.saml.dialects import artifact_services
from idp.protocols.saml.request.authn_request import LONGEST_ID, read_issuer
from idp.protocols.saml.request.read import Sender, sender_of
from idp.protocols.saml.request.transport import bad_request
from idp.protocols.saml.response.advice import MARK
from idp.protocols.saml.response.answer import WELL, write_status
from idp.protocols.saml.response.artifact import read_artifact, source_of
from idp.protocols.saml.response.delivery import Kept, fetch
from idp.protocols.saml.soap import ANSWER_TYPE, read_posted, write_envelope
from idp.protocols.saml.status import Problem, Status, StatusCode, status
from idp.protocols.saml.times import read_instant, write_instant
from idp.protocols.saml.voice import Voice, Voices
from idp.protocols.saml.xmlsec.refusal import Fault, Refused
from idp.protocols.saml.xmlsec.signature import verify
from idp.protocols.saml.xmlsec.signing import enclose, sign_canonical
from idp.protocols.saml.xmlsec.xml import (
    SAML,
    SAMLP,
    Element,
    Schemas,
    escape_attribute,
    escape_text,
    parse_canonical,
)
from idp.services.work import Office
from idp.settings import Settings

ARTIFACT_RESOLVE: Final = f"{{{SAMLP}}}ArtifactResolve"
# What the clients of the scheme make a proper page of; the standard's own answer is a success that carries nothing.
_NOTHING: Final = Status(StatusCode.REQUESTER, StatusCode.REQUEST_DENIED, "Artifact not resolved")


@dataclass(frozen=True, slots=True)
class ArtifactResolve:
    """The question of a relying party; what it leaves out is None."""

    id: str
    version: str
    issued_at: datetime
    destination: str | None
    artifact: str


def resolve(office: Office, message: HttpMessage, schemas: Schemas, voices: Voices, now: datetime) -> Document:
    """The answer to an ArtifactResolve.

    Raises ``BadRequest``, to be told as a SOAP fault: P10 for what is none, P01 for an unknown sender, P14 for unusable
    metadata, P02 for its signature, P12 for its client certificate.
    """
    try:
        root = read_posted(message, schemas)
        if root.tag != ARTIFACT_RESOLVE:
            raise Refused(Fault.SCHEMA, f"a {root.tag!r} where an ArtifactResolve belongs")
        sender = sender_of(office, read_issuer(root), now)
        asked = read_resolve(parse_canonical(verify(root, ARTIFACT_RESOLVE, sender.keys, enclosed=True)))
    except Refused as refused:
        raise bad_request(refused, detail=refused.detail[:300]) from refused
    _hold_to_certificate(message, sender)
    voice = voices.speak(office, sender.dialect, now)
    problem = _problem(asked, sender, message.path, office.settings)
    if problem is not None:
        return _answer(asked, write_status(status(problem, scheme=sender.dialect.scheme)).encode(), voice)
    found = _found(office, asked, sender, voice)
    if found is not None:
        voice = voices.speak(office, sender.dialect, now, found.key, advice=MARK in found.response)
        return _answer(asked, WELL.encode() + enclose(found.response, "samlp"), voice)
    return _answer(asked, (write_status(_NOTHING) if sender.dialect.scheme else WELL).encode(), voice)


def read_resolve(root: Element) -> ArtifactResolve:
    """The question in a schema-valid element that somebody vouches for; ``Refused`` when a value is out of bounds."""
    identifier = root.get("ID", "")
    if not 0 < len(identifier) <= LONGEST_ID:
        raise Refused(Fault.SCHEMA, "an ID of no bounded length")
    return ArtifactResolve(
        id=identifier,
        version=root.get("Version", ""),
        issued_at=read_instant(root.get("IssueInstant", "")),
        destination=root.get("Destination"),
        artifact="".join((root.findtext(f"{{{SAMLP}}}Artifact") or "").split()),
    )


def _hold_to_certificate(message: HttpMessage, sender: Sender) -> None:
    """Mutual TLS where it is set: with a certificate that the metadata list for signing (domain 3.7)."""
    if not sender.party.settings.artifact_client_certificate:
        return
    shown = hashlib.sha256(message.certificate).hexdigest() if message.certificate else "none"
    if shown not in {one.fingerprint for one in sender.metadata.signing if one.counts(sender.now)}:
        raise BadRequest("P12", {"field": "client certificate", "expected": "a registered one", "received": shown})


def _problem(asked: ArtifactResolve, sender: Sender, path: str, settings: Settings) -> Problem | None:
    """What is wrong with a question of a certain sender (SEC-14, G-5)."""
    here = set(artifact_services(settings, sender.dialect).values())
    if settings.server.base_url + path not in here or asked.destination not in (None, *here):
        return Problem.DESTINATION
    if asked.version != "2.0":
        return Problem.VERSION
    skew = timedelta(seconds=settings.saml.skew_seconds)
    return Problem.EXPIRED if abs(sender.now - asked.issued_at) > skew else None


def _found(office: Office, asked: ArtifactResolve, sender: Sender, voice: Voice) -> Kept | None:
    try:
        artifact = read_artifact(asked.artifact)
    except Refused:
        return None
    indexes = artifact_services(office.settings, sender.dialect)
    ours = artifact.index in indexes and artifact.source == source_of(voice.names.issuer)
    return fetch(office, sender.party.id, artifact.text) if ours else None


def _answer(asked: ArtifactResolve, body: bytes, voice: Voice) -> Document:
    head = (
        f'<samlp:ArtifactResponse xmlns:samlp="{SAMLP}" ID="{voice.new_id()}" '
        f'InResponseTo="{escape_attribute(asked.id)}" IssueInstant="{write_instant(voice.now)}" Version="2.0">'
        f'<saml:Issuer xmlns:saml="{SAML}">{escape_text(voice.names.issuer)}</saml:Issuer>'
    )
    signed = sign_canonical(head.encode(), body + b"</samlp:ArtifactResponse>", voice.signatory)
    return Document(200, ANSWER_TYPE, write_envelope(signed))
