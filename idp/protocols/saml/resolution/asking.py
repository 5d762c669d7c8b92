"""Requests by artifact: fetched from the service that the sender's registered metadata name (domain 3.2, SEC-18)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from idp.ports import Courier, FetchFailed
from idp.protocols.message import BadRequest
from idp.protocols.saml.names import Binding
from idp.protocols.saml.request.authn_request import AUTHN_REQUEST, read_issuer
from idp.protocols.saml.request.read import Sender, sender_of
from idp.protocols.saml.request.transport import Presented, Received, bad_request
from idp.protocols.saml.response.artifact import Artifact, read_artifact, source_of
from idp.protocols.saml.soap import ANSWER_TYPE, read_envelope, write_envelope
from idp.protocols.saml.status import SUCCESS
from idp.protocols.saml.times import read_instant, write_instant
from idp.protocols.saml.voice import Voice, Voices
from idp.protocols.saml.xmlsec.refusal import Fault, Refused
from idp.protocols.saml.xmlsec.signature import verify
from idp.protocols.saml.xmlsec.signing import sign_canonical
from idp.protocols.saml.xmlsec.xml import (
    SAML,
    SAMLP,
    Element,
    Schemas,
    escape_attribute,
    escape_text,
    parse_canonical,
    serialise,
)
from idp.services.work import Office

ARTIFACT_RESPONSE: Final = f"{{{SAMLP}}}ArtifactResponse"
_STATUS: Final = f"{{{SAMLP}}}Status/{{{SAMLP}}}StatusCode"


@dataclass(frozen=True, slots=True)
class Collector:
    """What it takes to fetch a request: the schemas, our voice, and the way out."""

    schemas: Schemas
    voices: Voices
    courier: Courier

    def collect(self, office: Office, presented: Presented, path: str, now: datetime) -> Received:
        """The request behind an artifact, which its signature still has to vouch for.

        ``path`` is where the artifact came: whoever asks at the address of a key of ours is asked by that one.
        Raises ``BadRequest``: P10 for no artifact, P01 for an unknown SourceID, P14 for unusable metadata, P03 for a
        service that these do not name, P13 when it gives no request, P02 when its answer is not well signed.
        """
        try:
            artifact = read_artifact(presented.artifact)
        except Refused as refused:
            raise bad_request(refused) from refused
        entity_id = office.directory.source(source_of, artifact.source)
        if entity_id is None:
            raise BadRequest("P01", {"field": "SAMLart", "received": f"SourceID {artifact.source.hex()}"})
        sender = sender_of(office, entity_id, now)
        location = _location(sender, artifact)
        voice = self.voices.speak(office, sender.dialect, now, sender.dialect.key_in(path))
        question = voice.new_id()
        asked = write_envelope(_question(question, location, artifact, voice))
        try:
            root = read_envelope(self.courier.post(location, ANSWER_TYPE, asked), self.schemas)
            octets = _request(root, question, sender, timedelta(seconds=office.settings.saml.skew_seconds))
        except FetchFailed as failed:
            raise BadRequest("P13", {"field": "SAMLart", "received": "no answer"}, str(failed)) from failed
        except Refused as refused:
            raise bad_request(refused, detail=refused.detail[:300]) from refused
        return Received(Binding.ARTIFACT, octets, presented.relay_state, sender=entity_id)


def _location(sender: Sender, artifact: Artifact) -> str:
    """Where to ask: an address of the registered metadata, never one of a message (SEC-18)."""
    hosted = [one for one in sender.metadata.resolvers if one.binding == Binding.SOAP]
    found = next((one for one in hosted if one.index == artifact.index), None)
    if found is None:
        expected = ", ".join(str(one.index) for one in hosted) or "none"
        raise BadRequest(
            "P03", {"field": "ArtifactResolutionService", "expected": expected, "received": str(artifact.index)}
        )
    return found.location


def _question(identifier: str, location: str, artifact: Artifact, voice: Voice) -> bytes:
    head = (
        f'<samlp:ArtifactResolve xmlns:samlp="{SAMLP}" Destination="{escape_attribute(location)}" ID="{identifier}" '
        f'IssueInstant="{write_instant(voice.now)}" Version="2.0">'
        f'<saml:Issuer xmlns:saml="{SAML}">{escape_text(voice.names.issuer)}</saml:Issuer>'
    )
    tail = f"<samlp:Artifact>{artifact.text}</samlp:Artifact></samlp:ArtifactResolve>"
    return sign_canonical(head.encode(), tail.encode(), voice.signatory)


def _request(root: Element, question: str, sender: Sender, skew: timedelta) -> bytes:
    """The AuthnRequest in an ArtifactResponse that the sender signed, as an answer to our question, just now."""
    if root.tag != ARTIFACT_RESPONSE:
        raise Refused(Fault.SCHEMA, f"a {root.tag!r} where an ArtifactResponse belongs")
    answer = parse_canonical(verify(root, ARTIFACT_RESPONSE, sender.keys, enclosed=True, nested=(AUTHN_REQUEST,)))
    late = abs(sender.now - read_instant(answer.get("IssueInstant", ""))) > skew
    stray = answer.get("InResponseTo") != question or read_issuer(answer) != sender.party.identity
    if late or stray or answer.get("Version") != "2.0":
        raise Refused(Fault.SIGNATURE, "an ArtifactResponse that is stale, or no answer to us by this sender")
    code, found = answer.find(_STATUS), answer.findall(AUTHN_REQUEST)
    if code is None or code.get("Value") != SUCCESS or len(found) != 1:
        raise BadRequest("P13", {"field": "SAMLart", "expected": "one AuthnRequest", "received": "none"})
    return serialise(found[0])
