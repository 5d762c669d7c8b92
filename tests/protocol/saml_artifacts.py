"""Relying parties that fetch their answers by artifact, and what they are told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from lxml import etree

from idp.domain.parties import Profile
from idp.protocols.message import Answer, Document, HttpMessage, PostForm, Redirect
from idp.protocols.saml.xmlsec.signing import Signatory, sign
from idp.protocols.saml.xmlsec.xml import SAML, SAMLP, SOAP, Element, parse, serialise
from tests.protocol.saml_kit import Bench, check_signature, octets_of, schemas, status_of
from tests.protocol.saml_messages import BASE, DV, SP, SSO, fixed_key

SERVICE = {profile: location.replace("/sso", "/artifact") for profile, location in SSO.items()}


@dataclass(frozen=True)
class Resolving:
    """An ArtifactResolve to be sent; ``attributes`` are XML attributes of its root, None leaves one out."""

    artifact: str
    profile: Profile = Profile.GENERIC
    attributes: Mapping[str, str | None] = field(default_factory=dict)
    issuer: str = ""
    key: str | None = "sp"
    content_type: str = "text/xml; charset=utf-8"
    certificate: bytes = b""

    def xml(self) -> bytes:
        """The element."""
        usual = {
            "ID": "_ar1",
            "Version": "2.0",
            "IssueInstant": "2026-01-15T10:00:41Z",
            "Destination": SERVICE[self.profile],
        }
        values = {name: value for name, value in (usual | dict(self.attributes)).items() if value is not None}
        written = " ".join(f'{name}="{value}"' for name, value in values.items())
        issuer = self.issuer or (SP if self.profile is Profile.GENERIC else DV)
        root = parse(
            f'<samlp:ArtifactResolve xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}" {written}><saml:Issuer>{issuer}'
            f"</saml:Issuer><samlp:Artifact>{self.artifact}</samlp:Artifact></samlp:ArtifactResolve>".encode()
        )
        if self.key is not None:
            sign(root, Signatory(fixed_key(self.key)))
        return serialise(root)

    def posted(self, path: str = "") -> HttpMessage:
        """The request over SOAP."""
        return HttpMessage(
            "POST",
            (path or SERVICE[self.profile]).removeprefix(BASE),
            body=enveloped(self.xml()),
            content_type=self.content_type,
            certificate=self.certificate,
        )


def enveloped(message: bytes, header: bytes = b"") -> bytes:
    """An Envelope around a message, as another party writes it."""
    opening = f'<?xml version="1.0" encoding="UTF-8"?>\n<SOAP-ENV:Envelope xmlns:SOAP-ENV="{SOAP}">'.encode()
    return opening + header + b"<SOAP-ENV:Body>" + message + b"</SOAP-ENV:Body></SOAP-ENV:Envelope>"


def artifact_in(answer: Answer) -> str:
    """The artifact that an answer brings by GET."""
    assert isinstance(answer, Redirect)
    return parse_qs(urlsplit(answer.location).query, strict_parsing=True)["SAMLart"][0]


def resolved(bench: Bench, resolving: Resolving) -> Document:
    """The answer of our resolution service at the present instant."""
    return bench.codec.resolve(bench.office, resolving.posted(), bench.clock.now())


def answer_in(document: Document, request: str = "_ar1") -> Element:
    """The ArtifactResponse as an independent receiver sees it: schema-valid, well signed, an answer to its question."""
    assert (document.status, document.content_type) == (200, "text/xml; charset=utf-8")
    root = etree.fromstring(document.body)
    schemas().validate(root)
    answer = root[0][0]
    assert (answer.tag, answer.get("InResponseTo")) == (f"{{{SAMLP}}}ArtifactResponse", request)
    check_signature(etree.fromstring(etree.tostring(answer)))
    return answer


def response_in(answer: Element) -> bytes | None:
    """The Response of an ArtifactResponse as a document of its own, or None."""
    found = answer.find(f"{{{SAMLP}}}Response")
    if found is None:
        return None
    # The prefixes of types stand in text, where a canonicaliser does not see them.
    return etree.tostring(found, method="c14n", exclusive=True, inclusive_ns_prefixes=["xs", "xsi"])


def nothing_in(document: Document) -> tuple[str, str | None, str | None]:
    """The status of an ArtifactResponse without a Response."""
    answer = answer_in(document)
    assert response_in(answer) is None
    return status_of(answer)


def octets_by(bench: Bench, answer: Answer, profile: Profile) -> bytes:
    """The Response of an answer, whichever way it came."""
    if isinstance(answer, PostForm):
        return octets_of(answer)
    found = response_in(answer_in(resolved(bench, Resolving(artifact_in(answer), profile))))
    assert found is not None
    return found
