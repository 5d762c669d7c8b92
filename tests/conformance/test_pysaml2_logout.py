"""Two of pysaml2's clients share a session: one logs out, the other hears of it, and both believe what we send."""

import base64
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
import requests
from bs4 import BeautifulSoup
from lxml import etree

from tests.conformance.keys import pair
from tests.conformance.metadata import Published, register
from tests.conformance.person import Person, Posted
from tests.conformance.pysaml2_client import make_client
from tests.fixtures.sandbox import Demo

POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
SOAP = "urn:oasis:names:tc:SAML:2.0:bindings:SOAP"
SIGNATURE = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
# What the library's own dependencies announce is their affair.
pytestmark = pytest.mark.filterwarnings("ignore")


@dataclass
class Party:
    """A client at the sandbox, and who it thinks is logged in."""

    client: Any
    demo: Demo
    exits: tuple[tuple[str, str], ...]
    person: Any = None
    heard: list[bool] = field(default_factory=list)

    @property
    def consumer(self) -> str:
        """Its assertion consumer."""
        return str(self.client.config.endpoint("assertion_consumer_service", POST)[0])

    def begin(self) -> tuple[str, str]:
        """The ID and the address of a request to log in."""
        asked, sent = self.client.prepare_for_authenticate(
            entityid=self.demo.url("/saml/metadata"), relay_state="relay-1", binding=REDIRECT, sign=True
        )
        return asked, dict(sent["headers"])["Location"]

    def log_in(self, browser: Person) -> None:
        """Let a persona log in, or be recognised."""
        asked, address = self.begin()
        ended = browser.visit(address)
        assert isinstance(ended, Posted), ended
        found = self.client.parse_authn_request_response(ended.fields["SAMLResponse"], POST, outstanding={asked: "/"})
        self.person = found.name_id

    def leave(self, binding: str) -> Any:
        """The client's own LogoutRequest, by a binding."""
        found = self.client.do_logout(
            self.person,
            [self.demo.url("/saml/metadata")],
            "urn:oasis:names:tc:SAML:2.0:logout:user",
            "2100-01-01T00:00:00Z",
            sign=True,
            expected_binding=binding,
            sign_alg=SIGNATURE,
        )
        return found[self.demo.url("/saml/metadata")]

    def hear(self, message: str, binding: str, **query: str) -> Any:
        """Let the client deal with a LogoutRequest of ours: it checks sender, signature and person."""
        signed = {"sigalg": query["SigAlg"], "signature": query["Signature"]} if query else {}
        answer = self.client.handle_logout_request(
            message, self.person, binding, sign=True, sign_alg=SIGNATURE, **signed
        )
        self.heard.append(True)
        return answer

    def over_soap(self) -> list[str]:
        """Send the client's own LogoutRequest over SOAP; the codes that come back."""
        where = self.demo.url("/saml/slo")
        index = self.client.users.get_info_from(self.person, self.demo.url("/saml/metadata"), False)["session_index"]
        _, asked = self.client.create_logout_request(
            where, self.demo.url("/saml/metadata"), name_id=self.person, session_indexes=[index], sign=True
        )
        envelope = self.client.use_soap(asked, destination=where)["data"]
        answer = requests.post(where, envelope, headers={"Content-Type": "text/xml"}, timeout=60)
        assert answer.status_code == 200, answer.text
        return self.told(inside(answer.content), POST)

    def hear_over_soap(self, envelope: bytes) -> str:
        """Let the client believe a LogoutRequest of ours over SOAP, and confirm it."""
        found = self.client.parse_logout_request(inside(envelope), POST)
        assert found.message.name_id == self.person
        self.heard.append(True)
        answer = self.client.create_logout_response(found.message, bindings=[SOAP], sign=True)
        return str(self.client.use_soap(answer)["data"])

    def told(self, message: str, binding: str) -> list[str]:
        """The codes of our LogoutResponse, believed by the client."""
        answer = self.client.parse_logout_request_response(message, binding)
        assert answer is not None
        code, found = answer.response.status.status_code, []
        while code is not None:
            found.append(str(code.value).rpartition(":")[2])
            code = code.status_code
        return found


def inside(envelope: bytes) -> str:
    """The message of an Envelope in base64, as it stands there: the library would write it anew (RC-9)."""
    (message,) = etree.fromstring(envelope)[-1]
    return base64.b64encode(etree.tostring(message)).decode()


@contextmanager
def registered(
    demo: Demo, folder: Path, name: str, service: str, exits: tuple[tuple[str, str], ...]
) -> Iterator[Party]:
    """A client at one service."""
    folder.mkdir()
    entity, consumer, key = f"https://{name}.example.test/metadata", f"https://{name}.example.test/acs", pair(name)
    with register(demo, Published(entity, consumer, key, exits=exits), folder, service):
        metadata = requests.get(demo.facts["saml_metadata"], timeout=30).content
        endpoints = {"assertion_consumer_service": [(consumer, POST)], "single_logout_service": list(exits)}
        yield Party(make_client(folder, key, metadata, entity, consumer, endpoints=endpoints), demo, exits)


@contextmanager
def listening(answer: Callable[[bytes], str]) -> Iterator[str]:
    """A service over SOAP on this machine; gives its address."""

    class Service(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            octets = answer(self.rfile.read(int(self.headers["Content-Length"]))).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(octets)))
            self.end_headers()
            self.wfile.write(octets)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/slo"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


def next_page(browser: Person, response: requests.Response) -> requests.Response | str:
    """The next page of ours, or the address of a party that a redirect leads to."""
    own = urlsplit(browser.demo.base_url).netloc
    while response.is_redirect or response.status_code == 303:
        target = urljoin(response.url, response.headers["Location"])
        if urlsplit(target).netloc != own:
            return target
        response = browser.session.get(target, allow_redirects=False, timeout=30)
    return response


def sent_to(page: requests.Response) -> tuple[str, dict[str, str]]:
    """Where a page leads, and the fields of its form or query."""
    assert page.status_code == 200, page.text
    soup = BeautifulSoup(page.text, "html.parser")
    link = soup.find("a", attrs={"data-testid": "continue"})
    if link is not None:
        address = str(link["href"])
        return address, {name: one[0] for name, one in parse_qs(urlsplit(address).query).items()}
    form = soup.find(attrs={"data-testid": "step-form"})
    assert form is not None, page.text
    fields = {str(one["name"]): str(one["value"]) for one in form.find_all("input", attrs={"name": True})}
    return str(form["action"]), fields


def asks_the_password(party: Party, browser: Person) -> bool:
    """Whether a new request of the party meets the password page."""
    page = next_page(browser, browser.session.get(party.begin()[1], allow_redirects=False, timeout=30))
    return isinstance(page, requests.Response) and 'data-page="login-password"' in page.text


def exits_of(name: str, *bindings: str) -> tuple[tuple[str, str], ...]:
    """Where a client takes messages about logout."""
    return tuple((f"https://{name}.example.test/slo", one) for one in bindings)


@pytest.fixture
def two(request: pytest.FixtureRequest, demo: Demo, tmp_path: Path) -> Iterator[tuple[Party, Party, Person]]:
    """Two clients at UWV and at the municipality, and a browser in which anna is logged in at both."""
    demo.reset()
    with (
        registered(demo, tmp_path / "one", "leaver", "UWV", exits_of("leaver", request.param)) as one,
        registered(demo, tmp_path / "two", "hearer", "GEM", exits_of("hearer", request.param)) as other,
    ):
        browser = Person(demo, "anna")
        one.log_in(browser)
        other.log_in(browser)
        yield one, other, browser


@pytest.mark.parametrize("two", [REDIRECT, POST], indirect=True, ids=["redirect", "post"])
def test_the_other_client_hears(two: tuple[Party, Party, Person]) -> None:
    """By one binding throughout: the second client believes our request, the first our Success, and all is over."""
    one, other, browser = two
    binding, sent = one.leave(one.exits[0][1])
    if binding == REDIRECT:
        address = dict(sent["headers"])["Location"]
        page = next_page(browser, browser.session.get(address, allow_redirects=False, timeout=30))
    else:
        _, fields = sent_to(_page(sent["data"]))
        page = next_page(browser, browser.session.post(sent["url"], fields, allow_redirects=False, timeout=30))
    assert isinstance(page, requests.Response)
    address, fields = sent_to(page)
    assert address.startswith(other.exits[0][0])
    query = fields if binding == REDIRECT else {}
    answer = other.hear(fields["SAMLRequest"], binding, **query)
    if binding == REDIRECT:
        back = dict(answer["headers"])["Location"]
        last = next_page(browser, browser.session.get(back, allow_redirects=False, timeout=30))
        assert isinstance(last, str)
        message = parse_qs(urlsplit(last).query)["SAMLResponse"][0]
    else:
        _, fields = sent_to(_page(answer["data"]))
        last = next_page(browser, browser.session.post(answer["url"], fields, allow_redirects=False, timeout=30))
        assert isinstance(last, requests.Response)
        message = sent_to(last)[1]["SAMLResponse"]
    assert one.told(message, binding) == ["Success"]
    assert asks_the_password(one, browser)


def _page(data: Any) -> requests.Response:
    """A page that a client made itself, as if it had been served."""
    made = requests.Response()
    made.status_code = 200
    text = str(data).replace("<form", '<form data-testid="step-form"', 1)
    made._content = text.encode()
    return made


@pytest.mark.parametrize("answers", [True, False])
def test_a_client_hears_over_soap(answers: bool, demo: Demo, tmp_path: Path) -> None:
    """Over the back channel throughout; a client that confirms makes it whole, one that does not makes it partial."""
    demo.reset()
    parties: list[Party] = []

    def reply(envelope: bytes) -> str:
        answer = parties[0].hear_over_soap(envelope)
        return answer if answers else "no"

    with (
        listening(reply) as address,
        registered(demo, tmp_path / "one", "leaver", "UWV", exits_of("leaver", POST)) as one,
        registered(demo, tmp_path / "two", "hearer", "GEM", ((address, SOAP),)) as other,
    ):
        parties.append(other)
        browser = Person(demo, "anna")
        one.log_in(browser)
        other.log_in(browser)
        codes = one.over_soap()
        assert codes == (["Success"] if answers else ["Success", "PartialLogout"])
        assert other.heard == [True]
        assert asks_the_password(other, browser)
