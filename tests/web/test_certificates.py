"""Whose word counts about a certificate: our own listener's and a configured proxy's, and nobody else's (SEC-33)."""

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import select

from idp.app import create_app
from idp.effects.presence import hold
from idp.lab import authority
from idp.lab.seed import seed
from idp.services.decision.explain import explain, reach
from idp.services.health import examine
from idp.services.work import Office
from idp.store.ledger import AuditEvent
from idp.store.people import Account
from idp.web.shell.http import SHOWN
from tests.office import LISTENED, StandingClock, open_test_office
from tests.web.conftest import register
from tests.web.kit import PERSONAS, Site, told

LISTENER = "https://certificaat.example.test"
HEADER = "X-Client-Certificate"
MAIN = "http://localhost:8000"


@pytest.fixture
def made(tmp_path: Path, clock: StandingClock) -> Path:
    """The laboratory's authority; nobody answers at the addresses in its certificates."""
    folder = tmp_path / authority.FOLDER
    authority.make(folder, "http://localhost:1", clock.now())
    return folder


@pytest.fixture
def site(sqlite_database: str, web_keys: Path, clock: StandingClock, made: Path) -> Iterator[Site]:
    """An application behind a proxy at 10.0.0.1 that listens for certificates."""
    office = open_test_office(
        sqlite_database,
        web_keys,
        clock,
        lab__enabled=False,
        paths__data=str(made.parent),
        server__certificate_url=LISTENER,
        server__trusted_proxies=["10.0.0.1"],
        certificates__roots=str(made / "root.crt.pem"),
        certificates__between=str(made / "issuing.crt.pem"),
        certificates__header=HEADER,
    )
    seed(office, 7)
    yield Site(create_app(office), office, {"EH4-DEMO": register(office, "EH4-DEMO")})
    office.engine.dispose()


def shown(site: Site, address: str, pem: str, host: str = LISTENER, peer: tuple[bytes, ...] = ()) -> str:
    """What came of a visit to the listener from a network address, with a certificate in the header or on the peer."""
    page = site.begin("EH4-DEMO")
    persona = PERSONAS["rosa"]
    form = page.form_of("step-form") | {"username": "rosa", "password": persona.password}
    step = site.follow(site.post(page.response.request.path, form))
    errand = site.post(step.response.request.path, step.form_of("step-form"))
    where = urlsplit(errand.headers["Location"])
    assert errand.headers["Location"].startswith(LISTENER)
    environ = {"REMOTE_ADDR": address} | ({SHOWN: peer} if peer else {})
    headers = {HEADER: quote(pem)} if pem else {}
    back = site.browser.get(where.path, base_url=host, headers=headers, environ_overrides=environ)
    assert back.status_code == 303
    site.browser.get(back.headers["Location"].removeprefix("http://localhost:8000"), base_url="http://localhost:8000")
    with site.office.reading() as connection:
        query = select(AuditEvent.facts).where(AuditEvent.event == "certificate.refused")
        facts = connection.execute(query.order_by(AuditEvent.sequence.desc())).scalars().first()
    return str(json.loads(facts)["why"]) if facts else ""


def test_a_configured_proxy_is_believed(site: Site, made: Path) -> None:
    """The proxy's header brings the certificate, which then fails on silence about revocation alone."""
    assert shown(site, "10.0.0.1", (made / "rosa.crt.pem").read_text()) == "revocation-unknown"


def test_our_own_listener_is_believed(site: Site, made: Path) -> None:
    """What the listener puts into the environment is the certificate of the connection."""
    der = authority.certificate_of(made, "rosa-expired").public_bytes(Encoding.DER)
    assert shown(site, "192.0.2.7", "", peer=(der,)) == "expired"


@pytest.mark.parametrize(
    ("address", "host"), [("192.0.2.7", LISTENER), ("10.0.0.1", "http://localhost:8000")], ids=["stranger", "elsewhere"]
)
def test_a_forged_header_is_no_certificate(site: Site, made: Path, address: str, host: str) -> None:
    """From a stranger, or through the proxy at another host than the listener's, the header is nothing."""
    assert shown(site, address, (made / "rosa.crt.pem").read_text(), host) == "missing"


@pytest.mark.parametrize("pem", ["nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_what_a_proxy_hands_over_may_be_no_certificate(site: Site, pem: str) -> None:
    """A header that holds no certificate is as good as none."""
    assert shown(site, "10.0.0.1", pem) == "missing"


def test_a_certificate_of_no_version_is_a_page(site: Site, made: Path) -> None:
    """Whatever a stranger wrote into the certificate of the connection or the header, there is a page (SEC-2)."""
    der = authority.certificate_of(made, "rosa").public_bytes(Encoding.DER)
    odd = der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x3b")
    assert odd != der
    assert shown(site, "192.0.2.7", "", peer=(odd,)) == "unreadable"
    pem = f"-----BEGIN CERTIFICATE-----\n{b64encode(odd).decode()}\n-----END CERTIFICATE-----\n"
    assert shown(site, "10.0.0.1", pem) == "missing"


def test_two_people_cannot_share_a_certificate(site: Site, made: Path) -> None:
    """A certificate that was bound once is bound to nobody else, also after its holder got another (domain 8.12)."""
    from idp.effects.certificates import identity_of
    from idp.services.authentication.certificates import BadBinding, bind

    first = authority.certificate_of(made, "rosa")
    second = authority.certificate_of(made, "rosa-revoked")
    with site.office.work("test") as work:
        bind(work, "rosa", identity_of(second), second.not_valid_after_utc)
        with pytest.raises(BadBinding):
            bind(work, "anna", identity_of(first), first.not_valid_after_utc)


def test_health_tells_whether_our_own_listener_is_there(
    sqlite_database: str, web_keys: Path, clock: StandingClock, made: Path
) -> None:
    """While no process listens the rest serves on, and says that certificates are away; no key says the same."""
    key = made / "listener.key.pem"
    office = open_test_office(
        sqlite_database,
        web_keys,
        clock,
        lab__enabled=False,
        server__certificate_url=LISTENER,
        certificates__tls_certificate=str(made / "listener.chain.pem"),
        certificates__tls_key=str(key),
    )
    browser = Site(create_app(office), office, {}).browser

    def health() -> object:
        answer = browser.get("/readyz", base_url=MAIN)
        return answer.status_code, answer.json and answer.json["certificates"]

    assert health() == (200, "away")
    with hold(key):
        assert any(health() == (200, "ready") for _ in range(1000))
    assert health() == (200, "away")
    key.unlink()
    assert health() == (200, "away")
    office.engine.dispose()


@pytest.mark.parametrize("lacking", sorted(LISTENED), ids=lambda name: str(name).rpartition("__")[2])
@pytest.mark.parametrize(
    ("language", "sentence"),
    [("nl", "Wij kunnen uw certificaat nu niet gebruiken."), ("en", "We cannot use your certificate now.")],
)
def test_where_nobody_listens_eh4_is_refused_before_a_password_is_asked(
    sqlite_database: str, web_keys: Path, clock: StandingClock, lacking: str, language: str, sentence: str
) -> None:
    """Whatever setting is missing: the first page says so and what to do, and the client hears D15's error (RUL-33)."""
    given = {name: value for name, value in LISTENED.items() if name != lacking}
    office = open_test_office(sqlite_database, web_keys, clock, lab__enabled=False, **given)
    seed(office, 7)
    site = Site(create_app(office), office, {one: register(office, one) for one in ("EH4-DEMO", "UWV")})
    for page in (
        site.begin("EH4-DEMO", ui_locales=language),
        site.begin("UWV", ui_locales=language, acr_values="urn:etoegang:core:assurance-class:loa4"),
    ):
        assert (page.name, page.reasons) == ("login-refused", ["CERTIFICATE_REFUSED"])
        assert sentence in page.soup.get_text(" ")
        assert page.control("remedy-CONTACT_SERVICE")
        # Another account would be told the same.
        assert page.soup.find(attrs={"data-testid": "other-account"}) is None
        assert told(site.fill(page, {}, "return"))["error"] == "unmet_authentication_requirements"
    passive = site.browser.get(f"/oidc/authorize?{site.query('EH4-DEMO', prompt='none')}", base_url=MAIN)
    assert told(passive.headers["Location"])["error"] == "unmet_authentication_requirements"
    assert site.begin("UWV").name == "login-password"
    office.engine.dispose()


def test_what_is_published_offers_eh4_only_where_somebody_listens(site: Site, office: Office) -> None:
    """Discovery, our SAML metadata, the operator's check and every what-if say what a login would come to (AD-3)."""
    level = "urn:etoegang:core:assurance-class:loa4"
    offered = {}
    for one in (site.office, office):
        browser = Site(create_app(one), one, {}).browser
        discovery = browser.get("/.well-known/openid-configuration", base_url=MAIN).get_data(as_text=True)
        metadata = browser.get("/saml/metadata", base_url=MAIN).get_data(as_text=True)
        (found,) = (finding for finding in examine(one) if finding.subject == "certificates")
        with one.reading() as connection:
            rosa = connection.execute(select(Account.id).where(Account.username == "rosa")).scalar_one()
        (reached,) = (one for one in reach(one, rosa) if one.service.slug == "EH4-DEMO")
        explained = explain(one, "rosa", "EH4-DEMO")
        assert explained is not None
        let_in = (reached.organisations > 0, explained.granted)
        offered[one is site.office] = (level in discovery, level in metadata, found.good, *let_in)
    assert offered == {True: (True,) * 5, False: (False,) * 5}
