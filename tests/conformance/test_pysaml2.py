"""pysaml2's own client, its cryptography through the xmlsec wheel so that no program is needed (RUL-35)."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import xmlsec
from lxml import etree
from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
from saml2.client import Saml2Client
from saml2.config import SPConfig
from saml2.response import StatusError
from saml2.sigver import CryptoBackend, SignatureError

from tests.conformance.keys import Pair, pair
from tests.conformance.metadata import Published, register
from tests.conformance.person import Person, Posted
from tests.fixtures.sandbox import Demo

SP = "https://pysaml2.example.test/metadata"
ACS = "https://pysaml2.example.test/acs"


class WheelBackend(CryptoBackend):  # type: ignore[misc]  # the library is untyped
    """Signs, verifies and decrypts with libxmlsec1 in this process."""

    def __init__(self, key: Pair) -> None:
        self._key = key

    def version(self) -> str:
        """The version it stands for."""
        return "1.3"

    def sign_statement(self, statement: Any, node_name: str, key_file: str, node_id: str) -> str:
        """A statement with its signature template filled in."""
        root = etree.fromstring(statement if isinstance(statement, bytes) else str(statement).encode())
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_memory(self._key.key, xmlsec.KeyFormat.PEM)
        context.register_id(root, "ID")
        context.sign(xmlsec.tree.find_node(root, xmlsec.constants.NodeSignature))
        return etree.tostring(root).decode()

    def validate_signature(self, signedtext: Any, cert_file: str, cert_type: str, node_name: str, node_id: str) -> bool:
        """Whether the signature of the named node holds under a certificate."""
        root = etree.fromstring(signedtext if isinstance(signedtext, bytes) else str(signedtext).encode())
        local = node_name.rpartition(":")[2]
        node = next(one for one in root.iter() if etree.QName(one).localname == local and one.get("ID") == node_id)
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_memory(Path(cert_file).read_bytes(), xmlsec.KeyFormat.CERT_PEM)
        context.register_id(node, "ID")
        signature = node.find("{http://www.w3.org/2000/09/xmldsig#}Signature")
        try:
            context.verify(signature)
        except xmlsec.Error as error:
            raise SignatureError(str(error)) from error
        return True

    def decrypt(self, enctext: Any, key_file: Any) -> str:
        """The document with its encrypted assertion opened."""
        root = etree.fromstring(enctext if isinstance(enctext, bytes) else str(enctext).encode())
        manager = xmlsec.KeysManager()
        manager.add_key(xmlsec.Key.from_memory(self._key.key, xmlsec.KeyFormat.PEM))
        data = xmlsec.tree.find_node(root, xmlsec.constants.NodeEncryptedData, xmlsec.constants.EncNs)
        xmlsec.EncryptionContext(manager).decrypt(data)
        return etree.tostring(root).decode()


@pytest.fixture(params=[False, True], ids=["plain", "encrypted"])
def client(request: pytest.FixtureRequest, demo: Demo, tmp_path: Path) -> Iterator[Saml2Client]:
    """The client registered at UWV, that wants both signatures and, once, an encrypted assertion."""
    demo.reset()
    key = pair("pysaml2")
    (tmp_path / "sp.key").write_text(key.key)
    (tmp_path / "sp.crt").write_text(key.certificate)
    metadata = requests.get(demo.facts["saml_metadata"], timeout=30).text
    files = {"key_file": str(tmp_path / "sp.key"), "cert_file": str(tmp_path / "sp.crt")}
    config = SPConfig().load(
        {
            "entityid": SP,
            "crypto_backend": "XMLSecurity",
            "metadata": {"inline": [metadata]},
            "service": {
                "sp": {
                    "endpoints": {"assertion_consumer_service": [(ACS, BINDING_HTTP_POST)]},
                    "authn_requests_signed": True,
                    "want_response_signed": True,
                    "want_assertions_signed": True,
                    "signing_algorithm": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
                    "digest_algorithm": "http://www.w3.org/2001/04/xmlenc#sha256",
                    "allow_unknown_attributes": True,
                }
            },
            "encryption_keypairs": [files] if request.param else [],
            **files,
        }
    )
    made = Saml2Client(config)
    made.sec.crypto = WheelBackend(key)
    with register(demo, Published(SP, ACS, key, encrypted=request.param), tmp_path, "UWV"):
        yield made


def log_in(demo: Demo, client: Saml2Client, username: str) -> tuple[str, Posted]:
    """A login by Redirect: the id of the request and the form that would be posted."""
    provider = demo.url("/saml/metadata")
    request_id, given = client.prepare_for_authenticate(provider, relay_state="relay-1", binding=BINDING_HTTP_REDIRECT)
    url = dict(given["headers"])["Location"]
    ended = Person(demo, username).visit(url)
    assert isinstance(ended, Posted), ended
    return request_id, ended


def test_anna_logs_in(demo: Demo, client: Saml2Client) -> None:
    """The client verifies, decrypts where it asked for it, and reads attributes and level."""
    request_id, posted = log_in(demo, client, "anna")
    response = client.parse_authn_request_response(
        posted.fields["SAMLResponse"], BINDING_HTTP_POST, {request_id: "relay-1"}
    )
    assert response is not None
    assert response.ava["urn:etoegang:core:ServiceUUID"]
    assert response.authn_info()[0][0] == "urn:etoegang:core:assurance-class:loa3"
    assert len(response.name_id.text) == 97


def test_a_tampered_response_is_refused(demo: Demo, client: Saml2Client) -> None:
    """An address changed in the signed response is noticed, though everything else about it is right."""
    request_id, posted = log_in(demo, client, "anna")
    text = base64.b64decode(posted.fields["SAMLResponse"])
    forged = text.replace(b"status:Success", b"status:Success ", 1)
    assert forged != text
    with pytest.raises(SignatureError):
        client.parse_authn_request_response(
            base64.b64encode(forged).decode(), BINDING_HTTP_POST, {request_id: "relay-1"}
        )


def test_a_refusal_is_a_status(demo: Demo, client: Saml2Client) -> None:
    """Emre's refusal is the status NoAuthnContext."""
    request_id, posted = log_in(demo, client, "emre")
    with pytest.raises(StatusError) as caught:
        client.parse_authn_request_response(posted.fields["SAMLResponse"], BINDING_HTTP_POST, {request_id: "relay-1"})
    assert "NoAuthnContext" in type(caught.value).__name__ + str(caught.value)
