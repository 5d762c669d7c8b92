"""node-saml, with both signatures demanded and every answer held against its request."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conformance.keys import pair
from tests.conformance.metadata import Published, register
from tests.conformance.person import Person, Posted
from tests.conformance.script import Refused, Script
from tests.conformance.view import certificate_of
from tests.fixtures.javascript import Node
from tests.fixtures.sandbox import Demo

SP = "https://node-saml.example.test/metadata"
ACS = "https://node-saml.example.test/acs"
FOLDER = Path(__file__).parents[1] / "javascript"


@pytest.fixture
def party(demo: Demo, node: Node, javascript: Callable[[Path], Path], tmp_path: Path) -> Iterator[Script]:
    """A running relying party registered at UWV."""
    demo.reset()
    key = pair("node-saml")
    with register(demo, Published(SP, ACS, key), tmp_path, "UWV"):
        settings = {
            "entryPoint": demo.url("/saml/sso"),
            "issuer": SP,
            "callbackUrl": ACS,
            "audience": SP,
            "idpIssuer": demo.url("/saml/metadata"),
            "idpCert": certificate_of(demo),
            "privateKey": key.key,
            "decryptionPvk": key.key,
        }
        with Script.start(node, javascript(FOLDER) / "saml.js", settings, tmp_path) as script:
            yield script


def ended(demo: Demo, party: Script, username: str) -> Posted:
    """The form that ends a login of a persona."""
    found = Person(demo, username).visit(party.ask(do="begin")["url"])
    assert isinstance(found, Posted), found
    assert found.action == ACS
    return found


def test_anna_logs_in(demo: Demo, party: Script) -> None:
    """The client verifies response and assertion and reads who acts, for whom, at which service."""
    profile = party.ask(do="end", response=ended(demo, party, "anna").fields["SAMLResponse"])
    assert len(profile["nameID"]) == 97
    assert profile["urn:etoegang:core:ServiceUUID"]
    assert profile["issuer"] == demo.url("/saml/metadata")


def test_a_tampered_response_is_refused(demo: Demo, party: Script) -> None:
    """One changed character is noticed by the client."""
    text = base64.b64decode(ended(demo, party, "anna").fields["SAMLResponse"])
    forged = base64.b64encode(text.replace(b"loa3", b"loa4")).decode()
    assert forged != base64.b64encode(text).decode()
    with pytest.raises(Refused):
        party.ask(do="end", response=forged)


def test_a_response_counts_once(demo: Demo, party: Script) -> None:
    """The same response again answers no request of the client."""
    response = ended(demo, party, "anna").fields["SAMLResponse"]
    party.ask(do="end", response=response)
    with pytest.raises(Refused):
        party.ask(do="end", response=response)


def test_a_refusal_is_no_login(demo: Demo, party: Script) -> None:
    """Emre's refusal reaches the client as a failed status."""
    with pytest.raises(Refused, match=r"Responder|NoAuthnContext"):
        party.ask(do="end", response=ended(demo, party, "emre").fields["SAMLResponse"])
