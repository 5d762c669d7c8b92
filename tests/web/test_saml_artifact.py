"""The artifact service over HTTP: whatever comes in, a SOAP fault or a 4xx goes out, never a 5xx (SEC-2)."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from werkzeug.test import TestResponse

from idp.protocols.saml.xmlsec.xml import SOAP
from tests.web.kit import Site

PATHS = ("/saml/artifact", "/saml/1.13/artifact", "/saml/1.11/artifact")
OPEN = f'<soap:Envelope xmlns:soap="{SOAP}">'
QUESTION = (
    '<samlp:ArtifactResolve xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_a" Version="2.0" '
    'IssueInstant="2026-01-15T10:00:00Z"><saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">urn:nobody'
    "</saml:Issuer><samlp:Artifact>AAQ=</samlp:Artifact></samlp:ArtifactResolve>"
)
REQUEST = QUESTION.replace("ArtifactResolve", "AuthnRequest").replace("<samlp:Artifact>AAQ=</samlp:Artifact>", "")
WHOLE = f"{OPEN}<soap:Body>{QUESTION}</soap:Body></soap:Envelope>"
MUST = '<soap:Header><a:b xmlns:a="urn:a" soap:mustUnderstand="1"/></soap:Header>'
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
HOSTILE = {
    "nothing": "",
    "no XML": "artifact",
    "half an envelope": OPEN,
    "html": "<html><body><br></body></html>",
    "no envelope": QUESTION,
    "no body": f"{OPEN}</soap:Envelope>",
    "empty body": f"{OPEN}<soap:Body/></soap:Envelope>",
    "two messages": f"{OPEN}<soap:Body>{QUESTION}{QUESTION.replace('_a', '_b')}</soap:Body></soap:Envelope>",
    "another message": f"{OPEN}<soap:Body>{REQUEST}</soap:Body></soap:Envelope>",
    "a fault": f"{OPEN}<soap:Body><soap:Fault><faultcode>soap:Server</faultcode><faultstring/></soap:Fault></soap:Body>"
    "</soap:Envelope>",
    "a header to understand": f"{OPEN}{MUST}<soap:Body>{QUESTION}</soap:Body></soap:Envelope>",
    "SOAP 1.2": WHOLE.replace(SOAP, SOAP_12),
    "a document type": f'<!DOCTYPE a [<!ENTITY b "c">]>{WHOLE}',
    "a comment": WHOLE.replace("AAQ=", "AA<!-- -->Q="),
    "a processing instruction": WHOLE.replace("AAQ=", "AA<?b?>Q="),
    "no artifact": WHOLE.replace("<samlp:Artifact>AAQ=</samlp:Artifact>", ""),
    "no issuer": WHOLE.replace("urn:nobody", ""),
    "no instant": WHOLE.replace("2026-01-15T10:00:00Z", "yesterday"),
    "deep": f"{OPEN}<soap:Body>{'<a>' * 200}{'</a>' * 200}</soap:Body></soap:Envelope>",
    "large": WHOLE + " " * 300_000,
}


def post(site: Site, body: str | bytes, path: str = PATHS[0], kind: str = "text/xml") -> TestResponse:
    """Send something to the service."""
    return site.browser.post(path, data=body, content_type=kind)


def fault_in(answer: TestResponse) -> str:
    """The sentence of a SOAP fault of the caller."""
    assert answer.content_type == "text/xml; charset=utf-8"
    root = etree.fromstring(answer.data)
    assert root.tag == f"{{{SOAP}}}Envelope"
    assert root.findtext(".//faultcode") == "soap:Client"
    return str(root.findtext(".//faultstring"))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_question_is_a_fault(name: str, path: str, site: Site) -> None:
    """Anything but one valid question in SOAP 1.1 is a fault P10 with a reference, at every address."""
    answer = post(site, HOSTILE[name], path)
    assert answer.status_code == 400
    assert fault_in(answer).startswith("P10 The message ")


def test_a_stranger_is_told_to_register(site: Site) -> None:
    """A question of an unknown sender is P01, under 403, and says what to do."""
    answer = post(site, WHOLE)
    assert answer.status_code == 403
    assert fault_in(answer).startswith("P01 The issuer is not registered")
    assert answer.headers["Cache-Control"].startswith("no-")


@pytest.mark.parametrize("kind", ["", "text/html", "application/json", "application/x-www-form-urlencoded"])
def test_another_type_is_a_fault(kind: str, site: Site) -> None:
    """A body of another media type is not read."""
    answer = post(site, WHOLE, kind=kind)
    assert (answer.status_code, fault_in(answer)[:4]) == (400, "P10 ")


def test_it_takes_post_alone(site: Site) -> None:
    """The service answers no GET, and a body beyond every bound is 413 (SEC-3)."""
    assert site.browser.get(PATHS[0]).status_code == 405
    assert post(site, b" " * (1024 * 1024 + 1)).status_code == 413


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_mutated_questions_are_never_a_fault_of_ours(site: Site, data: st.DataObject) -> None:
    """However a question is cut, repeated or overwritten, the answer is a fault of the caller."""
    octets = bytearray(WHOLE.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(octets) - 1))
        end = min(place + data.draw(st.integers(1, 40)), len(octets))
        octets[place:end] = data.draw(st.binary(max_size=20) | st.just(bytes(octets[place:end]) * 2))
    answer = post(site, bytes(octets))
    assert answer.status_code in (400, 403)
    assert fault_in(answer)
