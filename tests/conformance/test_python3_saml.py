"""python3-saml, strict, with every signature and encryption check on."""

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from onelogin.saml2.auth import OneLogin_Saml2_Auth
from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser
from onelogin.saml2.settings import OneLogin_Saml2_Settings

from tests.conformance.keys import pair
from tests.conformance.person import Person, Posted
from tests.fixtures.sandbox import Demo

SP = "https://python3-saml.example.test/metadata"
ACS = "https://python3-saml.example.test/acs"
HTTP = {"https": "on", "http_host": "python3-saml.example.test", "script_name": "/acs", "get_data": {}, "post_data": {}}


def settings(demo: Demo, encrypted: bool) -> dict[str, Any]:
    """The client's settings, its view of us read from our metadata by its own parser."""
    metadata = requests.get(demo.facts["saml_metadata"], timeout=30).content
    provider = OneLogin_Saml2_IdPMetadataParser.parse(metadata)["idp"]
    provider["singleSignOnService"]["url"] = demo.url("/saml/sso")
    return {
        "strict": True,
        "sp": {
            "entityId": SP,
            "assertionConsumerService": {"url": ACS, "binding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"},
            "x509cert": pair("python3-saml").certificate,
            "privateKey": pair("python3-saml").key,
            "NameIDFormat": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
        },
        "idp": provider,
        "security": {
            "authnRequestsSigned": True,
            "wantMessagesSigned": True,
            "wantAssertionsSigned": True,
            "wantAssertionsEncrypted": encrypted,
            "wantNameId": True,
            "signatureAlgorithm": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
            "digestAlgorithm": "http://www.w3.org/2001/04/xmlenc#sha256",
            "requestedAuthnContext": ["urn:etoegang:core:assurance-class:loa3"],
            "requestedAuthnContextComparison": "minimum",
            "rejectUnsolicitedResponsesWithInResponseTo": True,
        },
    }


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "encrypted"])
def client(request: pytest.FixtureRequest, demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The client registered at UWV, without or with an encryption certificate in its metadata."""
    chosen = settings(demo, request.param)
    published = OneLogin_Saml2_Settings(chosen, sp_validation_only=True).get_sp_metadata().decode()
    file: Path = tmp_path_factory.mktemp("sp") / "metadata.xml"
    file.write_text(published)
    done = demo.run("providers", "add", "--metadata", str(file), "--services", "UWV", "--json")
    assert done.returncode == 0, done.stderr
    yield chosen
    demo.run("providers", "remove", json.loads(done.stdout)["id"])


def log_in(demo: Demo, chosen: dict[str, Any], username: str) -> tuple[OneLogin_Saml2_Auth, str, Posted]:
    """A login by Redirect up to the form that would be posted to the client."""
    demo.reset()
    auth = OneLogin_Saml2_Auth(HTTP, chosen)
    ended = Person(demo, username).visit(auth.login(return_to="relay-1"))
    assert isinstance(ended, Posted), ended
    assert ended.action == ACS
    assert ended.fields["RelayState"] == "relay-1"
    return auth, auth.get_last_request_id(), ended


def received(chosen: dict[str, Any], response: str, request_id: str) -> OneLogin_Saml2_Auth:
    """What the client makes of a response."""
    auth = OneLogin_Saml2_Auth(HTTP | {"post_data": {"SAMLResponse": response}}, chosen)
    auth.process_response(request_id=request_id)
    return auth


def test_anna_logs_in_and_the_client_reads_everything(demo: Demo, client: dict[str, Any]) -> None:
    """The client accepts both signatures, decrypts where it asked for it, and reads person, company and level."""
    _, request_id, posted = log_in(demo, client, "anna")
    auth = received(client, posted.fields["SAMLResponse"], request_id)
    assert auth.get_errors() == [], auth.get_last_error_reason()
    assert auth.is_authenticated()
    attributes = auth.get_attributes()
    assert attributes["urn:etoegang:core:ServiceUUID"]
    assert any(value.isdecimal() for values in attributes.values() for value in values)
    assert len(auth.get_nameid()) == 97


def test_the_client_refuses_a_tampered_response(demo: Demo, client: dict[str, Any]) -> None:
    """One changed character in the signed response is noticed."""
    _, request_id, posted = log_in(demo, client, "anna")
    text = base64.b64decode(posted.fields["SAMLResponse"])
    forged = text.replace(b"loa3", b"loa4") if b"loa3" in text else text.replace(b"Success", b"Succes_")
    assert forged != text
    auth = received(client, base64.b64encode(forged).decode(), request_id)
    assert not auth.is_authenticated()
    assert auth.get_errors()


def test_a_refusal_reaches_the_client_as_a_status(demo: Demo, client: dict[str, Any]) -> None:
    """Emre's refusal is a Responder status without an assertion, and names no reason of his."""
    _, request_id, posted = log_in(demo, client, "emre")
    auth = received(client, posted.fields["SAMLResponse"], request_id)
    assert not auth.is_authenticated()
    assert "NoAuthnContext" in (auth.get_last_error_reason() or "") or auth.get_errors()
    text = base64.b64decode(posted.fields["SAMLResponse"]).decode()
    assert "Responder" in text
    assert "LEVEL_TOO_LOW" not in text
    assert urlsplit(posted.action).hostname == "python3-saml.example.test"
