"""A relying party of the scheme that fetches its answers: requests, resolution over SOAP, and the opened Response."""

from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_hex
from urllib.parse import parse_qs, urlsplit

import xmlsec
from cryptography.hazmat.primitives import serialization
from lxml import etree

from tests.bench.http import Browser, FlowFailed
from tests.bench.samlparty import NAMES, Request, SamlParty, verify_response

ARTIFACT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact"
SSO, RESOLUTION = "/saml/1.13/sso", "/saml/1.13/artifact"
_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_XENC = "http://www.w3.org/2001/04/xmlenc#"


@dataclass(frozen=True, slots=True)
class ArtifactParty:
    """A party of ``eherkenning-1.13``."""

    saml: SamlParty

    def exchange(self, browser: Browser, asked: Request) -> bytes:
        """Ask, be sent back with an artifact, and fetch the Response for it; raises ``FlowFailed``."""
        reply = browser.post(SSO, asked.body).expect(303)
        artifact = parse_qs(urlsplit(reply.location).query).get("SAMLart")
        if artifact is None:
            raise FlowFailed(f"no artifact: {reply.location[:200]}")
        found = browser.post(RESOLUTION, self.resolve(browser.base_url, artifact[0]), {"Content-Type": "text/xml"})
        return found.expect(200).body

    def verify(self, asked: Request, envelope: bytes, certificate: bytes) -> tuple[int, int]:
        """Check the Response as ``verify_response`` does, and open an identifier with the party's key."""
        response = etree.fromstring(envelope).find(".//samlp:Response", NAMES)
        if response is None:
            raise FlowFailed(f"no Response: {envelope[:300]!r}")
        octets = etree.tostring(response, method="c14n", exclusive=True, inclusive_ns_prefixes=["xs", "xsi"])
        size = verify_response(octets, certificate, asked.id)
        self._open(etree.fromstring(octets))
        return size

    def _open(self, response: etree._Element) -> None:
        manager = xmlsec.KeysManager()
        pem = self.saml.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        manager.add_key(xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatPem))
        xmlsec.tree.add_ids(response, ["ID", "Id"])
        sealed = response.findall(f".//{{{_XENC}}}EncryptedData")
        if not sealed:
            raise FlowFailed("an identifier that is not encrypted")
        for data in sealed:
            xmlsec.EncryptionContext(manager).decrypt(data)

    def resolve(self, base_url: str, artifact: str) -> bytes:
        """The signed ArtifactResolve in its envelope, for the service at this base URL."""
        identifier = f"_{token_hex(16)}"
        instant = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        head = (
            f'<samlp:ArtifactResolve xmlns:samlp="{NAMES["samlp"]}" Destination="{base_url}{RESOLUTION}"'
            f' ID="{identifier}" IssueInstant="{instant}" Version="2.0"><saml:Issuer xmlns:saml="{NAMES["saml"]}">'
            f"{self.saml.entity_id}</saml:Issuer>"
        )
        tail = f"<samlp:Artifact>{artifact}</samlp:Artifact></samlp:ArtifactResolve>"
        message = self.saml.signed(identifier, head, tail)
        start = f'<SOAP-ENV:Envelope xmlns:SOAP-ENV="{_SOAP}"><SOAP-ENV:Body>'.encode()
        return start + message + b"</SOAP-ENV:Body></SOAP-ENV:Envelope>"
