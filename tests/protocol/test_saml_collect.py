"""Requests by artifact: fetched from the registered service of the sender alone, and held to every check (SEC-18)."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from time import monotonic
from urllib.parse import quote

import pytest
from lxml import etree

from idp.domain.parties import Profile
from idp.effects.courier import BackChannel
from idp.effects.fetch import Bounds, GuardedFetcher
from idp.ports import FetchFailed, Overloaded
from idp.protocols.message import Answered, BadRequest, HttpMessage, Incoming
from idp.protocols.saml import SamlCodec
from idp.protocols.saml.response.artifact import Artifact, source_of
from idp.protocols.saml.xmlsec.signing import Signatory, sign
from idp.protocols.saml.xmlsec.xml import SAML, SAMLP, Element, parse, serialise
from tests.protocol.saml_artifacts import enveloped
from tests.protocol.saml_golden import compare, lines
from tests.protocol.saml_kit import Bench, check_signature, schemas
from tests.protocol.saml_messages import ACS, BASE, DV, SCHEME_METADATA, SP, SSO, Asking, Published, fixed_key, form

SERVICE = "https://dv.example.test/saml/ars"
SOAP_BINDING = "urn:oasis:names:tc:SAML:2.0:bindings:SOAP"
E13 = Profile.EHERKENNING_113


def hosting(location: str = SERVICE, index: int = 3, binding: str = SOAP_BINDING) -> str:
    """An ArtifactResolutionService to be published."""
    return f'<md:ArtifactResolutionService Binding="{binding}" Location="{location}" index="{index}"/>'


@dataclass
class Service:
    """The resolution service of a relying party; ``changes`` are made to the ArtifactResponse before it is signed."""

    message: bytes = field(default_factory=lambda: Asking().xml())
    issuer: str = SP
    key: str | None = "sp"
    attributes: dict[str, str] = field(default_factory=dict)
    status: str = "Success"
    mangle: Callable[[bytes], bytes] = lambda octets: octets
    asked: list[tuple[str, bytes]] = field(default_factory=list)

    def post(self, url: str, content_type: str, body: bytes) -> bytes:
        """Answer a question as the courier would bring it."""
        assert content_type.startswith("text/xml")
        self.asked.append((url, body))
        question = self.question(body)
        usual = {"InResponseTo": str(question.get("ID")), "ID": "_arr1", "Version": "2.0"}
        usual |= {"IssueInstant": "2026-01-15T10:00:40Z"}
        written = " ".join(f'{name}="{value}"' for name, value in (usual | self.attributes).items())
        root = parse(
            f'<samlp:ArtifactResponse xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}" {written}>'
            f"<saml:Issuer>{self.issuer}</saml:Issuer><samlp:Status><samlp:StatusCode "
            f'Value="urn:oasis:names:tc:SAML:2.0:status:{self.status}"/></samlp:Status>'.encode()
            + self.message
            + b"</samlp:ArtifactResponse>"
        )
        if self.key is not None:
            sign(root, Signatory(fixed_key(self.key)))
        return self.mangle(enveloped(serialise(root)))

    def question(self, body: bytes) -> Element:
        """Our ArtifactResolve as an independent receiver sees it: schema-valid and well signed."""
        root = etree.fromstring(body)
        schemas().validate(root)
        question = root[0][0]
        assert question.tag == f"{{{SAMLP}}}ArtifactResolve"
        check_signature(etree.fromstring(etree.tostring(question)))
        return question


ARTIFACT = Artifact(3, source_of(SP), b"h" * 20)


def presented(artifact: str = ARTIFACT.text, relay_state: str = "rs", path: str = "/saml/sso") -> HttpMessage:
    """An artifact by GET."""
    query = f"SAMLart={quote(artifact, safe='')}&RelayState={relay_state}"
    return HttpMessage("GET", path, query=query.encode())


def read(bench: Bench, service: object, message: HttpMessage | None = None) -> Incoming:
    """Read a request by artifact with this service at the other end."""
    codec = SamlCodec(service)  # type: ignore[arg-type]
    return codec.read(bench.office, message or presented(), bench.clock.now())


def refused(bench: Bench, service: object, message: HttpMessage | None = None) -> BadRequest:
    """The refusal of a request by artifact."""
    with pytest.raises(BadRequest) as caught:
        read(bench, service, message)
    return caught.value


@pytest.fixture
def host(bench: Bench) -> Bench:
    """The office with one relying party that hosts a service."""
    bench.register(Published(resolvers=hosting()))
    return bench


@pytest.mark.parametrize("message", [presented(), form({"SAMLart": ARTIFACT.text}, "rs")], ids=["get", "post"])
def test_a_request_by_artifact_is_taken(message: HttpMessage, host: Bench, pytestconfig: pytest.Config) -> None:
    """The request is fetched once, by a signed question, and is what it would have been by POST (domain 3.2)."""
    service = Service()
    incoming = read(host, service, message)
    by_post = host.read(Asking().posted("rs"))
    assert incoming == by_post
    ((url, body),) = service.asked
    question = service.question(body)
    assert (url, question.get("Destination")) == (SERVICE, SERVICE)
    assert question.findtext(f"{{{SAMLP}}}Artifact") == ARTIFACT.text
    shown = body.replace(str(question.get("ID")).encode(), b"_question")
    compare("generic/request-by-artifact.resolve.xml", lines(masked(shown)), pytestconfig)


def masked(octets: bytes) -> bytes:
    """Without what depends on the identifier."""
    root = etree.fromstring(octets)
    for name in ("DigestValue", "SignatureValue"):
        next(root.iter(f"{{*}}{name}")).text = "..."
    return etree.tostring(root, method="c14n", exclusive=True)


def test_the_scheme_asks_as_itself(bench: Bench) -> None:
    """In eHerkenning we ask under our name of the scheme, and the request is held to the scheme."""
    bench.register(replace(SCHEME_METADATA, resolvers=hosting()), E13)
    asking = Asking(E13, {"AssertionConsumerServiceIndex": "2"}, issuer=DV)
    service = Service(asking.xml(), issuer=DV)
    artifact = Artifact(3, source_of(DV), b"h" * 20).text
    incoming = read(bench, service, presented(artifact, path=SSO[E13].removeprefix(BASE)))
    assert incoming.asked.reply["location"] == ACS
    issuer = service.question(service.asked[0][1]).findtext(f"{{{SAML}}}Issuer")
    assert issuer == "urn:etoegang:HM:00000001888888888001:entities:9101"


@pytest.mark.parametrize(
    ("artifact", "code"),
    [
        (Artifact(3, source_of("urn:nobody"), b"h" * 20).text, "P01"),
        (Artifact(4, source_of(SP), b"h" * 20).text, "P03"),
        ("AAQ=", "P10"),
        (b64encode(b"\x00\x01" + b"x" * 42).decode(), "P10"),
    ],
)
def test_nobody_is_asked_about_a_strange_artifact(artifact: str, code: str, host: Bench) -> None:
    """An unknown SourceID, an index that is not registered, or no artifact: our own page, and no fetch (SEC-18)."""
    service = Service()
    assert refused(host, service, presented(artifact)).code == code
    assert service.asked == []


def test_another_binding_is_not_asked(bench: Bench) -> None:
    """Only a service that speaks SOAP is asked."""
    bench.register(Published(resolvers=hosting(binding="urn:example:other")))
    service = Service()
    assert refused(bench, service).code == "P03"
    assert service.asked == []


OTHER = Asking(issuer="https://other.example.test").xml()
ANSWERS = {
    "another's request": (Service(OTHER), "P01"),
    "unsigned answer": (Service(key=None), "P02"),
    "badly signed answer": (Service(key="sp-encryption"), "P02"),
    "unsigned request": (Service(Asking(key=None).xml()), "P02"),
    "badly signed request": (Service(Asking(key="sp-encryption").xml()), "P02"),
    "changed answer": (Service(mangle=lambda octets: octets.replace(b"_arr1", b"_arr2")), "P02"),
    "changed request": (Service(mangle=lambda octets: octets.replace(b'ID="_req1"', b'ID="_req2"')), "P02"),
    "answer to another question": (Service(attributes={"InResponseTo": "_other"}), "P02"),
    "answer of another": (Service(issuer="https://other.example.test"), "P02"),
    "stale answer": (Service(attributes={"IssueInstant": "2026-01-15T09:57:39Z"}), "P02"),
    "other version": (Service(attributes={"Version": "1.1"}), "P02"),
    "nothing": (Service(b""), "P13"),
    "a failure": (Service(status="Requester"), "P13"),
    "two requests": (Service(Asking().xml() + Asking(attributes={"ID": "_req9"}).xml()), "P10"),
    "no SOAP": (Service(mangle=lambda octets: octets.replace(b"SOAP-ENV:Body", b"SOAP-ENV:Bode")), "P10"),
    "no XML": (Service(mangle=lambda _octets: b"<html><br></html>"), "P10"),
    "a document type": (Service(mangle=lambda octets: b"<!DOCTYPE a []>" + octets.partition(b"\n")[2]), "P10"),
    "too much": (Service(mangle=lambda octets: octets + b" " * 300_000), "P10"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_doubtful_answer_is_refused(name: str, host: Bench) -> None:
    """An answer or a request in it that is not wholly vouched for by the sender ends on our own page (RUL-25)."""
    service, code = ANSWERS[name]
    assert refused(host, service).code == code


def test_a_waiver_of_signatures_reaches_the_request_alone(bench: Bench) -> None:
    """Where requests may come unsigned, the answer that brings one must still be signed (RUL-23)."""
    bench.register(Published(resolvers=hosting()), require_signed_requests=False)
    assert read(bench, Service(Asking(key=None).xml())).asked.party == "party-1"
    assert refused(bench, Service(Asking(key=None).xml(), key=None)).code == "P02"


def test_a_faulty_request_by_artifact_is_told_to_its_sender(host: Bench) -> None:
    """What was fetched is held to time, address and replay like any other request."""
    with pytest.raises(Answered) as caught:
        read(host, Service(Asking(attributes={"IssueInstant": "2026-01-15T09:00:00Z"}).xml()))
    assert caught.value.code == "P04"


def test_a_codec_without_a_way_out_says_so(host: Bench) -> None:
    """Without a courier a request by artifact is a binding that is not spoken."""
    assert refused(host, None).code == "P06"


@contextmanager
def listening(service: Service, status: int = 200) -> Iterator[str]:
    """The service at a real address on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = service.post(self.path, self.headers["Content-Type"], body)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_arguments: object) -> None:
            """Silently."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/ars"
    server.shutdown()
    server.server_close()
    thread.join()


def courier(at_once: int = 2, laboratory: bool = True) -> BackChannel:
    """The real way out."""
    return BackChannel(GuardedFetcher(Bounds(300_000, 5, laboratory), monotonic), at_once)


def test_over_real_http(bench: Bench) -> None:
    """Through the guarded fetcher the request comes in the same; outside the laboratory loopback is not asked."""
    service = Service()
    with listening(service) as location:
        bench.register(Published(resolvers=hosting(location)))
        assert read(bench, courier()).asked.party == "party-1"
        assert len(service.asked) == 1
        assert refused(bench, courier(laboratory=False)).code == "P13"
        assert len(service.asked) == 1


def test_a_service_that_fails_is_told_on_our_page(bench: Bench) -> None:
    """An answer with another status, or no service at all, is P13: nothing of it is read."""
    with listening(Service(), 500) as location:
        bench.register(Published(resolvers=hosting(location)))
        assert refused(bench, courier()).code == "P13"
    assert refused(bench, courier()).code == "P13"


def test_few_wait_at_once(bench: Bench) -> None:
    """While every place is taken the next one is turned away at once, and its place is free again after (SEC-39)."""
    way = courier(at_once=1)

    class Asking(Service):
        def post(self, url: str, content_type: str, body: bytes) -> bytes:
            with pytest.raises(Overloaded):
                way.post(location, content_type, body)
            return super().post(url, content_type, body)

    with listening(Asking()) as location:
        bench.register(Published(resolvers=hosting(location)))
        assert read(bench, way).asked.party == "party-1"
        for _ in range(2):
            with pytest.raises(FetchFailed):
                way.post("https://", "text/xml", b"")
