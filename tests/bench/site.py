"""A server with our relying parties registered and a person logged in, and the flows that can be run on it."""

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

from tests.bench.artifactparty import ARTIFACT, ArtifactParty
from tests.bench.artifactparty import SSO as SCHEME_SSO
from tests.bench.fapiparty import PROFILE, FapiParty
from tests.bench.http import Browser, FlowFailed
from tests.bench.measure import Workload
from tests.bench.oidcparty import Authorization, OidcParty, registration
from tests.bench.person import Person, log_in, persona, synthetic
from tests.bench.samlparty import Request, SamlParty, response_of, signing_certificate, verify_response
from tests.bench.server import ONE_WORKER, Server, command, start_demo

SERVICE = "UWV"
_SSO = "/saml/sso"
_KEYS = "/oidc/jwks"
_SCHEME_PARTY = "urn:etoegang:DV:00000009900000001000:entities:9999"
DOCUMENTS = {"metadata": "/saml/metadata", "JWKS": _KEYS, "discovery": "/.well-known/openid-configuration"}


@dataclass(slots=True)
class Site:
    """One server as the driver sees it; ``shape`` gathers the size of the answers that were verified."""

    server: Server
    saml: SamlParty
    scheme: ArtifactParty
    fapi: FapiParty
    clients: dict[str, OidcParty]
    certificate: bytes
    keys: bytes
    cookies: dict[str, str] = field(default_factory=dict)
    people: Iterator[Person] = field(default_factory=lambda: iter(()))
    shape: set[tuple[int, int]] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def browsers(self, count: int) -> list[Browser]:
        """Browsers that share the person's cookies."""
        return [Browser(self.server.base_url, dict(self.cookies)) for _ in range(count)]

    def workloads(self) -> dict[str, Workload]:
        """Every flow by its name."""
        destination = self.server.base_url + _SSO
        flows = [
            Workload("W1 POST", lambda: self.saml.posted(destination), _posted, self._response),
            Workload("W1 Redirect", lambda: self.saml.redirected(destination), _redirected, self._response),
            Workload("W1 POST, bounced", lambda: self.saml.posted(destination), _bounced, self._response),
            Workload(
                "W1 artifact, 1.13",
                lambda: self.scheme.saml.posted(self.server.base_url + SCHEME_SSO),
                self.scheme.exchange,
                self._fetched,
            ),
            Workload("W3 SAML", lambda: (self.saml.posted(destination), self._next()), _full_saml, self._full_response),
        ]
        for algorithm, client in self.clients.items():
            flows.append(Workload(f"W2 {algorithm}", client.prepared, self._code_flow(client), self._id_token(client)))
        flows.append(
            Workload(
                "W2 PAR, DPoP",
                self.fapi.prepared,
                self.fapi.exchange,
                lambda asked, token: self._verify_fapi(asked, token),
            )
        )
        client = self.clients["RS256"]
        flows.append(
            Workload(
                "W3 OIDC",
                lambda: (client.prepared(), self._next()),
                lambda browser, asked: _full_oidc(client, browser, asked),
                lambda asked, token: self._id_token(client)(asked[0], token),
            )
        )
        for name, path in DOCUMENTS.items():
            flows.append(Workload(f"W5 {name}", lambda: None, _document(path), lambda _asked, _body: None))
        return {one.name: one for one in flows}

    def _next(self) -> Person:
        with self.lock:
            return next(self.people)

    def _response(self, asked: Request, document: bytes) -> None:
        self.shape.add(verify_response(document, self.certificate, asked.id))

    def _verify_fapi(self, asked: Authorization, token: bytes) -> None:
        OidcParty(self.fapi.client_id, "", "ES256").verify(token, self.keys, self.server.base_url, asked)

    def _fetched(self, asked: Request, envelope: bytes) -> None:
        self.scheme.verify(asked, envelope, self.certificate)

    def _full_response(self, asked: tuple[Request, Person], document: bytes) -> None:
        self._response(asked[0], document)

    def _code_flow(self, client: OidcParty) -> Any:
        return lambda browser, asked: client.exchange(browser, browser.get(asked.path).expect(303).location, asked)

    def _id_token(self, client: OidcParty) -> Any:
        return lambda asked, token: client.verify(token, self.keys, self.server.base_url, asked)


def open_site(folder: Path, environ: Mapping[str, str], populate: Mapping[str, int] | None = None) -> Site:
    """Start a server in a folder, register our parties, make the people, and log one in."""
    folder.mkdir(parents=True, exist_ok=True)
    server = start_demo(folder, ONE_WORKER | dict(environ))
    saml, clients = SamlParty(), {}
    scheme = SamlParty(_SCHEME_PARTY, "https://bench.example.test/artifact", ARTIFACT, encrypted=True)
    for name, party, profile in (("sp", saml, "generic"), ("dv", scheme, "eherkenning-1.13")):
        described = folder.parent / f"{folder.name}-{name}.xml"
        described.write_text(party.metadata())
        registering = ("--metadata", str(described), "--services", SERVICE, "--profile", profile)
        command(folder, "providers", "add", *registering)
    for algorithm in ("RS256", "ES256"):
        wanted = folder.parent / f"{folder.name}-{algorithm}.json"
        wanted.write_text(registration(algorithm))
        made = command(folder, "providers", "add", "--client", str(wanted), "--services", SERVICE)
        clients[algorithm] = OidcParty(made["client_id"], made["client_secret"], algorithm)
    fapi = FapiParty()
    wanted = folder.parent / f"{folder.name}-fapi.json"
    wanted.write_text(fapi.registration())
    registering = ("--client", str(wanted), "--services", SERVICE, "--profile", PROFILE)
    fapi.client_id = command(folder, "providers", "add", *registering)["client_id"]
    people = _people(folder, populate) if populate else iter(())
    # A running server sees new parties within two seconds (contract).
    time.sleep(2.2)
    browser = Browser(server.base_url)
    certificate = signing_certificate(browser.get("/saml/metadata").expect(200).body)
    site = Site(
        server,
        saml,
        ArtifactParty(scheme),
        fapi,
        clients,
        certificate,
        browser.get(_KEYS).expect(200).body,
        people=people,
    )
    sign_in(site)
    return site


def sign_in(site: Site) -> None:
    """Log the plain persona in once, by the forms, and keep the cookies; the answer is verified."""
    browser = Browser(site.server.base_url)
    asked = site.saml.posted(site.server.base_url + _SSO)
    answer = log_in(browser, browser.post(_SSO, asked.body), persona(Browser(site.server.base_url), "anna"))
    verify_response(response_of(answer.expect(200).body), site.certificate, asked.id)
    if len(browser.cookies) < 2:
        raise FlowFailed(f"no session was kept: {sorted(browser.cookies)}")
    site.cookies = dict(browser.cookies)


def refuses_forgery(site: Site) -> bool:
    """Whether a request signed with another key is refused; a server that checks nothing is not worth measuring."""
    forged = SamlParty().posted(site.server.base_url + _SSO)
    return site.browsers(1)[0].post(_SSO, forged.body).status == 400


def _people(folder: Path, sizes: Mapping[str, int]) -> Iterator[Person]:
    options = [text for name, number in sizes.items() for text in (f"--{name}", str(number))]
    made = command(folder, "lab", "populate", *options)
    return cycle([synthetic(one["username"], made["password"], one["secret"]) for one in made["accounts"]])


def _posted(browser: Browser, asked: Request) -> bytes:
    return response_of(browser.post(_SSO, asked.body).expect(200).body)


def _redirected(browser: Browser, asked: Request) -> bytes:
    return response_of(browser.get(f"{_SSO}?{asked.query}").expect(200).body)


def _bounced(browser: Browser, asked: Request) -> bytes:
    kept, browser.cookies = browser.cookies, {}
    reply = browser.post(_SSO, asked.body).expect(303)
    browser.cookies = kept
    return response_of(browser.get(reply.location).expect(200).body)


def _full_saml(browser: Browser, asked: tuple[Request, Person]) -> bytes:
    browser.cookies = {}
    return response_of(log_in(browser, browser.post(_SSO, asked[0].body), asked[1]).expect(200).body)


def _full_oidc(client: OidcParty, browser: Browser, asked: tuple[Any, Person]) -> bytes:
    browser.cookies = {}
    reply = log_in(browser, browser.get(asked[0].path), asked[1]).expect(303)
    return client.exchange(browser, reply.location, asked[0])


def _document(path: str) -> Any:
    return lambda browser, _asked: browser.get(path).expect(200).body
