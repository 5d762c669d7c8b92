"""pysaml2's client takes its answer by artifact: it finds the service by our metadata and signs its question."""

import base64
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from lxml import etree

from tests.conformance.keys import pair
from tests.conformance.metadata import Published, register
from tests.conformance.person import Person
from tests.conformance.pysaml2_client import SamlRefusal, make_client
from tests.fixtures.sandbox import Demo

SP = "https://pysaml2-artifact.example.test/metadata"
ACS = "https://pysaml2-artifact.example.test/acs"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
ARTIFACT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact"
SAMLP = "{urn:oasis:names:tc:SAML:2.0:protocol}"
AT_ONCE = 20
# What the library's own dependencies announce is their affair.
pytestmark = pytest.mark.filterwarnings("ignore")


@dataclass(frozen=True)
class Party:
    """The client, registered for answers by artifact alone."""

    client: Any
    demo: Demo

    def log_in(self, username: str) -> tuple[str, str]:
        """Let a persona log in: the ID of the client's request, and the artifact that came back."""
        self.demo.reset()
        asked, sent = self.client.prepare_for_authenticate(
            entityid=self.demo.url("/saml/metadata"),
            relay_state="relay-1",
            binding=REDIRECT,
            response_binding=ARTIFACT,
            sign=True,
        )
        ended = Person(self.demo, username).visit(dict(sent["headers"])["Location"])
        assert isinstance(ended, str), ended
        assert ended.startswith(f"{ACS}?SAMLart=")
        came = parse_qs(urlsplit(ended).query, strict_parsing=True)
        assert came["RelayState"] == ["relay-1"]
        return asked, came["SAMLart"][0]

    def question(self, artifact: str) -> tuple[str, str]:
        """A signed question about an artifact, and where the client finds that it must go."""
        where = self.client.artifact2destination(artifact, "idpsso")
        _, asked = self.client.create_artifact_resolve(artifact, where, "relay-1", sign=True)
        envelope = self.client.use_soap(asked, destination=where)
        return where, envelope["data"]

    def response(self, answer: requests.Response) -> str | None:
        """The Response in an answer, in base64, as it stands there."""
        assert answer.status_code == 200, answer.text
        (told,) = etree.fromstring(answer.content).iter(f"{SAMLP}ArtifactResponse")
        (code,) = told.findall(f"{SAMLP}Status/{SAMLP}StatusCode")
        assert str(code.get("Value")).endswith(":Success")
        found = told.find(f"{SAMLP}Response")
        return None if found is None else base64.b64encode(etree.tostring(found)).decode()


def send(question: tuple[str, str]) -> requests.Response:
    """Send a question."""
    where, envelope = question
    return requests.post(where, envelope, headers={"Content-Type": "text/xml"}, timeout=60)


@contextmanager
def registered(demo: Demo, folder: Path) -> Iterator[Party]:
    """The client at a sandbox, at UWV."""
    key = pair("pysaml2-artifact")
    with register(demo, Published(SP, ACS, key, binding=ARTIFACT), folder, "UWV"):
        metadata = requests.get(demo.facts["saml_metadata"], timeout=30).content
        endpoints = {"assertion_consumer_service": [(ACS, ARTIFACT), (ACS, POST)]}
        yield Party(make_client(folder, key, metadata, SP, ACS, endpoints=endpoints), demo)


@pytest.fixture
def party(demo: Demo, tmp_path: Path) -> Iterator[Party]:
    """The client at the common sandbox."""
    with registered(demo, tmp_path) as found:
        yield found


def test_anna_logs_in_by_artifact(party: Party) -> None:
    """The Response keeps both signatures inside the answer, and the client reads level and person (RC-1, RC-9)."""
    asked, artifact = party.log_in("anna")
    response = party.response(send(party.question(artifact)))
    found = party.client.parse_authn_request_response(response, POST, outstanding={asked: "/"})
    assert found.authn_info()[0][0] == "urn:etoegang:core:assurance-class:loa3"
    assert found.ava["urn:etoegang:core:ActingSubjectID"] == [found.name_id.text]


def test_a_refusal_comes_by_artifact(party: Party) -> None:
    """Emre's refusal is a status in the Response behind the artifact."""
    asked, artifact = party.log_in("emre")
    response = party.response(send(party.question(artifact)))
    with pytest.raises(SamlRefusal, match="Authentication failed"):
        party.client.parse_authn_request_response(response, POST, outstanding={asked: "/"})


def test_an_unsigned_question_is_a_fault(party: Party) -> None:
    """A question that nobody vouches for gets a SOAP fault with what to mend, and spends nothing."""
    _, artifact = party.log_in("anna")
    where, envelope = party.question(artifact)
    unsigned, count = re.subn(r"<(ns\d:)Signature\b.*</\1Signature>", "", envelope, flags=re.DOTALL)
    assert count == 1
    refused = send((where, unsigned))
    assert (refused.status_code, refused.headers["Content-Type"]) == (403, "text/xml; charset=utf-8")
    assert "P02" in (etree.fromstring(refused.content).findtext(".//faultstring") or "")
    assert party.response(send((where, envelope))) is not None


def test_an_artifact_counts_once_over_four_workers(start_demo: Callable[..., Demo], tmp_path: Path) -> None:
    """Of twenty simultaneous resolutions exactly one gets the Response; the others get an empty success (SEC-16)."""
    demo = start_demo(environ={"IDP_SERVER_WORKERS": "4"})
    with registered(demo, tmp_path) as party:
        _, artifact = party.log_in("anna")
        questions = [party.question(artifact) for _ in range(AT_ONCE)]
        ready = Barrier(AT_ONCE)

        def resolve(question: tuple[str, str]) -> requests.Response:
            ready.wait(60)
            return send(question)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(resolve, questions))
        found = [party.response(one) for one in answers]
        assert len([one for one in found if one is not None]) == 1
    demo.stop()
