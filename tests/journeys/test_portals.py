"""What a demo portal believes: a real answer once, and nothing of it when one expectation is not met."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from idp.lab import portal_oidc, portal_saml
from idp.lab.portal_oidc import Asked, Flow
from idp.lab.portals import Portal, read
from idp.lab.received import Check, Ending, Received
from idp.protocols.saml.xmlsec.xml import parse
from tests.fixtures.sandbox import Demo
from tests.journeys.walker import Walker

Alter = Callable[[dict[str, object]], None]


@pytest.fixture(scope="module")
def portals(demo: Demo) -> dict[str, Portal]:
    """The sandbox's portals with their own keys."""
    return {portal.slug: portal for portal in read(demo.folder, demo.base_url)}


def now(demo: Demo) -> datetime:
    """The sandbox's time."""
    return datetime.fromisoformat(requests.get(demo.url("/lab/api/clock"), timeout=60).json()["now"])


@pytest.fixture(scope="module")
def answered(demo: Demo, portals: dict[str, Portal]) -> dict[str, object]:
    """A real SAMLResponse for the portal of OLO, with what it answers."""
    provider = portal_saml.read_provider(requests.get(demo.url("/saml/metadata"), timeout=60).content)
    walker = Walker(demo.base_url).visit("/lab/portal/OLO").follow("start-saml")
    page = walker.submit(username="anna", password="Anna2026-lab").page
    field = str((page.soup.select_one("input[name=SAMLResponse]") or {})["value"])
    request_id = parse(b64decode(field)).get("InResponseTo", "")
    return {
        "portal": portals["OLO"],
        "provider": provider,
        "request_id": request_id,
        "field": field,
        "now": now(demo),
    }


def _tampered(field: str) -> str:
    return b64encode(b64decode(field).replace(b"loa2", b"loa3")).decode()


SAML_FAULTS: dict[Check, Alter] = {
    Check.REQUEST: lambda given: given.update(request_id="_another"),
    Check.TIME: lambda given: given.update(now=_moved(given, timedelta(minutes=3))),
    Check.SIGNATURE: lambda given: given.update(field=_tampered(str(given["field"]))),
    Check.FORM: lambda given: given.update(field=b64encode(b"<a/>").decode()),
    Check.DESTINATION: lambda given: given.update(portal=_at(given, base_url="http://localhost:1")),
    Check.AUDIENCE: lambda given: given.update(portal=_named(given)),
    Check.ISSUER: lambda given: given.update(provider=_other_issuer(given)),
}


def _moved(given: dict[str, object], by: timedelta) -> datetime:
    moment = given["now"]
    assert isinstance(moment, datetime)
    return moment + by


def _at(given: dict[str, object], base_url: str) -> Portal:
    portal = given["portal"]
    assert isinstance(portal, Portal)
    return replace(portal, base_url=base_url)


def _named(given: dict[str, object]) -> Portal:
    portal = given["portal"]
    assert isinstance(portal, Portal)
    return replace(portal, plan=replace(portal.plan, entity_id="urn:another"))


def _other_issuer(given: dict[str, object]) -> portal_saml.Provider:
    provider = given["provider"]
    assert isinstance(provider, portal_saml.Provider)
    return replace(provider, entity_id="urn:another")


def receive_saml(given: dict[str, object]) -> Received:
    """What the portal makes of it."""
    return portal_saml.receive(*(given[name] for name in ("portal", "provider", "request_id", "field", "now")))  # type: ignore[arg-type]


def test_a_real_response_is_believed(answered: dict[str, object]) -> None:
    """The untouched response passes every check and says who logged in."""
    received = receive_saml(answered)
    assert received.ending is Ending.GRANTED
    assert all(ok for _, ok in received.checks)
    assert dict(received.values)["AuthnContextClassRef"].endswith("loa2")


@pytest.mark.parametrize("check", SAML_FAULTS)
def test_a_response_that_fails_one_check_is_worth_nothing(answered: dict[str, object], check: Check) -> None:
    """Each check refuses by itself, it is named, and no value is read."""
    given = dict(answered)
    SAML_FAULTS[check](given)
    received = receive_saml(given)
    assert received.ending is Ending.REFUSED
    assert [one for one, ok in received.checks if not ok] == [check]
    assert received.values == ()


@pytest.fixture(scope="module")
def exchanged(demo: Demo, portals: dict[str, Portal]) -> dict[str, object]:
    """A real code for the portal of RVO-2PLUS, exchanged once; what the provider answered can be played again."""
    discovery = "/.well-known/openid-configuration"
    documents = {path: requests.get(demo.url(path), timeout=60).content for path in (discovery, "/oidc/jwks")}
    portal, provider = portals["OLO"], portal_oidc.read_provider(documents)
    flow = Flow("state-of-a-browser", "nonce-of-a-login", "v" * 43, "proof")
    walker = Walker(demo.base_url)
    walker.page = walker.visit("/lab/portal/OLO").page
    address = portal_oidc.start(portal, provider, flow, personal=False)
    walker.visit(address)
    form = walker.page.find("step-form")
    assert form is not None
    fields = {str(one["name"]): str(one.get("value", "")) for one in form.find_all("input")}
    sent = walker.session.post(
        walker.page.url,
        data=fields | {"username": "anna", "password": "Anna2026-lab"},
        timeout=60,
        allow_redirects=False,
    )
    while sent.headers["Location"].startswith(demo.url("/login")):
        sent = walker.session.get(sent.headers["Location"], timeout=60, allow_redirects=False)
    told = dict(parse_qsl(urlsplit(sent.headers["Location"]).query))
    heard: dict[str, tuple[int, bytes]] = {}

    def call(asked: Asked) -> tuple[int, bytes]:
        if asked.address not in heard:
            answer = requests.request(
                asked.method, asked.address, headers=dict(asked.headers), data=asked.body, timeout=60
            )
            heard[asked.address] = (answer.status_code, answer.content)
        return heard[asked.address]

    given: dict[str, object] = {"portal": portal, "provider": provider, "flow": flow, "given": told, "call": call}
    given["now"] = now(demo)
    assert receive_oidc(given).ending is Ending.GRANTED
    return given


def receive_oidc(given: dict[str, object]) -> Received:
    """What the portal makes of it."""
    arguments = [given[name] for name in ("portal", "provider", "flow", "given", "call")]
    return portal_oidc.receive(*arguments, now=given["now"])  # type: ignore[arg-type]


def _with_flow(given: dict[str, object], **facts: str) -> None:
    flow = given["flow"]
    assert isinstance(flow, Flow)
    given["flow"] = replace(flow, **facts)


def _with_told(given: dict[str, object], **facts: str) -> None:
    told = given["given"]
    assert isinstance(told, dict)
    given["given"] = told | facts


def _answering(given: dict[str, object], path: str, status: int, body: bytes) -> None:
    call = given["call"]
    assert callable(call)
    given["call"] = lambda asked: (status, body) if asked.address.endswith(path) else call(asked)


def _unsigned(given: dict[str, object]) -> None:
    provider = given["provider"]
    assert isinstance(provider, portal_oidc.Provider)
    keys = [key | {"x": key["y"]} if key.get("kty") == "EC" else key for key in provider.jwks["keys"]]
    given["provider"] = replace(provider, jwks={"keys": [key for key in keys if key.get("kty") != "EC"]})


OIDC_FAULTS: dict[Check, Alter] = {
    Check.STATE: lambda given: _with_flow(given, state="of-another-browser"),
    Check.NONCE: lambda given: _with_flow(given, nonce="of-another-login"),
    Check.ISSUER: lambda given: _with_told(given, iss="https://another.example"),
    Check.TIME: lambda given: given.update(now=_moved(given, timedelta(hours=1))),
    Check.EXCHANGE: lambda given: _answering(given, "/oidc/token", 400, b'{"error": "invalid_grant"}'),
    Check.SUBJECT: lambda given: _answering(given, "/oidc/userinfo", 200, b'{"sub": "somebody else"}'),
    Check.SIGNATURE: _unsigned,
}


@pytest.mark.parametrize("check", OIDC_FAULTS)
def test_tokens_that_fail_one_check_are_worth_nothing(exchanged: dict[str, object], check: Check) -> None:
    """Each check of the code flow refuses by itself, it is named, and no claim is read."""
    given = dict(exchanged)
    OIDC_FAULTS[check](given)
    received = receive_oidc(given)
    assert received.ending is Ending.REFUSED
    assert [one for one, ok in received.checks if not ok] == [check]
    assert received.values == ()
