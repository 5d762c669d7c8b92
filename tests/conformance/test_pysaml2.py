"""pysaml2's client: both signatures demanded, only published keys believed, nothing unsolicited (RUL-35)."""

import base64
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from tests.conformance.keys import pair
from tests.conformance.metadata import Published, register
from tests.conformance.person import Person, Posted
from tests.conformance.pysaml2_client import SamlRefusal, make_client
from tests.fixtures.sandbox import Demo

SP = "https://pysaml2.example.test/metadata"
ACS = "https://pysaml2.example.test/acs"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
# What the library's own dependencies announce is their affair.
pytestmark = pytest.mark.filterwarnings("ignore")


@dataclass(frozen=True)
class Party:
    """The client, and how it sends its requests."""

    client: Any
    binding: str
    demo: Demo

    def log_in(self, username: str) -> tuple[str, Posted]:
        """Let a persona log in: the ID of the client's request, and the form that ends the login."""
        self.demo.reset()
        asked, sent = self.client.prepare_for_authenticate(
            entityid=self.demo.url("/saml/metadata"), relay_state="relay-1", binding=self.binding, sign=True
        )
        person = Person(self.demo, username)
        if self.binding == REDIRECT:
            ended = person.visit(dict(sent["headers"])["Location"])
        else:
            fields = dict(re.findall(r'name="(SAMLRequest|RelayState)" value="([^"]*)"', sent["data"]))
            ended = person.post(self.demo.url("/saml/sso"), {name: html.unescape(one) for name, one in fields.items()})
        assert isinstance(ended, Posted), ended
        assert (ended.action, ended.fields["RelayState"]) == (ACS, "relay-1")
        return asked, ended

    def receive(self, response: str, asked: str) -> Any:
        """What the client makes of a response."""
        return self.client.parse_authn_request_response(response, POST, outstanding={asked: "/"})


@pytest.fixture(scope="module", params=[(POST, False), (REDIRECT, True)], ids=["post", "redirect-encrypted"])
def party(request: pytest.FixtureRequest, demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Party]:
    """The client registered at UWV, without or with a certificate for encryption."""
    binding, encrypted = request.param
    folder, key = tmp_path_factory.mktemp("pysaml2"), pair("pysaml2")
    with register(demo, Published(SP, ACS, key, encrypted), folder, "UWV"):
        metadata = requests.get(demo.facts["saml_metadata"], timeout=30).content
        yield Party(make_client(folder, key, metadata, SP, ACS, encrypted=encrypted), binding, demo)


def test_anna_logs_in(party: Party) -> None:
    """The client verifies both signatures, decrypts where it asked for it, and reads level, person and company."""
    asked, ended = party.log_in("anna")
    found = party.receive(ended.fields["SAMLResponse"], asked)
    assert len(found.name_id.text) == 97
    assert found.authn_info()[0][0] == "urn:etoegang:core:assurance-class:loa3"
    assert found.ava["urn:etoegang:core:ActingSubjectID"] == [found.name_id.text]
    assert re.fullmatch(r"[0-9]{8}", found.ava["urn:etoegang:1.9:EntityConcernedID:KvKnr"][0])


def test_a_tampered_response_is_refused(party: Party) -> None:
    """One changed word is noticed by the client, and so is an answer to another request."""
    asked, ended = party.log_in("anna")
    octets = base64.b64decode(ended.fields["SAMLResponse"])
    forged = octets.replace(b"status:Success", b"status:Success ", 1)
    assert forged != octets
    with pytest.raises(SamlRefusal):
        party.receive(base64.b64encode(forged).decode(), asked)
    with pytest.raises(SamlRefusal):
        party.receive(ended.fields["SAMLResponse"], "id-of-another-request")


def test_a_refusal_is_a_status(party: Party) -> None:
    """Emre's refusal is the status NoAuthnContext in a signed response, with a coarse message."""
    asked, ended = party.log_in("emre")
    with pytest.raises(SamlRefusal, match="Authentication failed") as caught:
        party.receive(ended.fields["SAMLResponse"], asked)
    assert "NoAuthnContext" in type(caught.value).__name__ + str(caught.value)
