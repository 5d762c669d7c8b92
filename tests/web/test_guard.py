"""What every answer carries, and what never gets past the door."""

import re
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import text

from idp.app import create_app
from idp.services.work import Office
from tests.web.kit import Page, Site

OWN = "http://localhost:8000"
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("path", ["/", "/diensten", "/login/nope", "/nope", "/oidc/authorize", "/saml/sso"])
def test_every_page_has_its_headers(site: Site, path: str) -> None:
    """Nothing may frame us, load from elsewhere, or keep our pages (G-3, G-10, SEC-33)."""
    headers = site.get(path).response.headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-cache, no-store"
    assert headers["Referrer-Policy"] == "same-origin"


def test_a_page_lets_its_form_lead_only_to_us_and_to_the_portal(site: Site) -> None:
    """The policy of a step names the origin its answer goes to, and no other (RUL-39)."""
    policy = site.begin("UWV").response.headers["Content-Security-Policy"]
    assert re.search(r"form-action 'self' https://portal\.example\.test$", policy)


@pytest.mark.parametrize("host", ["evil.test", "localhost.evil.example", "169.254.169.254"])
def test_a_strange_host_is_refused(site: Site, host: str) -> None:
    """A request for a host that is not ours gets no page of ours (SEC-32)."""
    response = site.browser.get("/", base_url=f"http://{host}")
    assert response.status_code == 421


def test_a_form_from_another_origin_is_refused_and_one_without_falls_back_to_its_token(site: Site) -> None:
    """A foreign Origin stops a form even with its token; an absent one leaves the token to decide (RUL-39)."""
    first = site.begin("UWV")
    path, form = first.response.request.path, first.form_of("cancel")
    foreign = site.post(path, form, headers={"Origin": "https://evil.test"})
    assert foreign.status_code == 403
    null = site.post(path, form, headers={"Origin": "null"})
    assert null.status_code == 403
    assert site.post(path, form).status_code == 303


def test_a_field_that_comes_twice_is_refused(site: Site) -> None:
    """Two values for one name mean two things to two readers: a form with a doubled field is none (SEC-4)."""
    first = site.begin("UWV")
    path, form = first.response.request.path, urlencode(first.form_of("cancel"))
    doubled = site.browser.post(path, data=f"{form}&step=password", content_type=FORM, base_url=OWN)
    assert doubled.status_code == 400
    parts = first.form_of("cancel") | {"step": ["cancel", "password"]}
    kind = "multipart/form-data"
    assert site.browser.post(path, data=parts, content_type=kind, base_url=OWN).status_code == 400
    assert site.browser.post(path, data=form, content_type=FORM, base_url=OWN).status_code == 303


def test_a_form_of_very_many_fields_is_refused(site: Site) -> None:
    """A body of a thousand fields is turned away before it is taken apart (SEC-3)."""
    first = site.begin("UWV")
    path, form = first.response.request.path, urlencode(first.form_of("cancel"))
    many = form + "".join(f"&f{number}=" for number in range(1000))
    assert site.browser.post(path, data=many, content_type=FORM, base_url=OWN).status_code == 413


def test_a_form_from_our_own_origin_is_taken(site: Site) -> None:
    """Our own Origin is welcome."""
    first = site.begin("UWV")
    response = site.post(first.response.request.path, first.form_of("cancel"), headers={"Origin": OWN})
    assert response.status_code == 303


def test_cookies_are_for_us_alone(site: Site) -> None:
    """Cookies are HttpOnly and Lax; over https they carry __Host- and Secure, over http names of our own (RUL-2)."""
    site.begin("UWV")
    for cookie in site.browser._cookies.values():  # type: ignore[union-attr]  # the client keeps them there
        assert cookie.http_only
        assert cookie.same_site == "Lax"
        assert cookie.key.startswith("idp-")
        assert not cookie.secure


def test_over_https_cookies_are_host_bound(office: Office) -> None:
    """With an https base URL every cookie is __Host- and Secure (SEC-33)."""
    from dataclasses import replace

    server = replace(office.settings.server, base_url="https://login.example.test")
    secure = replace(office, settings=replace(office.settings, server=server))
    secure_app = create_app(secure)
    browser = Site(secure_app, secure, {}).browser
    response = browser.get("/login/x?lang=en", base_url="https://login.example.test")
    document = browser.get("/saml/metadata", base_url="https://login.example.test")
    for answer in (response, document):
        assert answer.headers["Strict-Transport-Security"]
    lines = response.headers.getlist("Set-Cookie")
    assert any(line.startswith("__Host-idp-lang=en") for line in lines)
    # What was kept is used again, and a name that another host of the domain can set is not.
    assert '<html lang="en"' in browser.get("/", base_url="https://login.example.test").get_data(as_text=True)
    other = Site(secure_app, secure, {}).browser
    other.set_cookie("idp-lang", "en", domain="login.example.test")
    assert '<html lang="nl"' in other.get("/", base_url="https://login.example.test").get_data(as_text=True)
    for line in lines:
        assert line.startswith("__Host-")
        assert "Secure" in line
        assert "HttpOnly" in line


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nope", 404),
        ("POST", "/", 405),
        ("DELETE", "/diensten", 405),
        ("GET", "/login/" + "x" * 70000, 404),
        ("GET", "/?" + "x" * 70000, 414),
        ("GET", "/%00", 404),
    ],
)
def test_what_does_not_exist_has_a_page_with_a_reference(site: Site, method: str, path: str, status: int) -> None:
    """Every client error is a page with its code and a reference, and tells nothing of our inside (SEC-2)."""
    response = site.browser.open(path, method=method, base_url=OWN)
    page = Page(response)
    assert response.status_code == status
    assert page.name == "error"
    assert len(page.control("reference").get_text()) == 8
    assert "Traceback" not in response.get_data(as_text=True)


def test_a_large_body_is_refused(site: Site) -> None:
    """More than a megabyte is not read (SEC-3)."""
    response = site.browser.post("/saml/sso", data=b"x" * (1024 * 1024 + 1), base_url=OWN)
    assert response.status_code == 413


def test_without_a_database_nobody_is_let_in_and_service_resumes(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that is away means 503 with Retry-After; when it is back so are we (SEC-40)."""
    from sqlalchemy.exc import OperationalError

    def away(*_arguments: Any, **_named: Any) -> Any:
        raise OperationalError("SELECT 1", {}, Exception("away"))

    with monkeypatch.context() as patched:
        patched.setattr(type(site.office.engine), "connect", away)
        response = site.get("/login/x").response
        assert response.status_code == 503
        assert int(response.headers["Retry-After"]) > 0
        assert "away" not in response.get_data(as_text=True)
    assert site.get("/login/x").response.status_code == 404


def test_a_fault_of_ours_shows_a_reference_and_nothing_else(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unforeseen fault is a page with status 500, INTERNAL, and the reference of its log line (SEC-2)."""
    from idp.services.authentication import login

    def broken(*_arguments: Any, **_named: Any) -> Any:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(login, "stand", broken)
    page = site.begin("UWV")
    assert (page.response.status_code, page.error) == (500, "INTERNAL")
    assert "secret inside" not in page.response.get_data(as_text=True)


def test_metadata_and_discovery_answer_with_an_etag(site: Site) -> None:
    """Prebuilt documents say when they have not changed (performance: P8)."""
    for path in ("/saml/metadata", "/saml/1.13/metadata", "/.well-known/openid-configuration", "/oidc/jwks"):
        first = site.browser.get(path, base_url=OWN)
        assert first.status_code == 200, path
        again = site.browser.get(path, base_url=OWN, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.get_data()) == (304, b"")


def test_health_and_readiness(site: Site) -> None:
    """The process answers for itself, and for its database."""
    assert site.browser.get("/healthz", base_url=OWN).json == {"status": "ok"}
    assert site.browser.get("/readyz", base_url=OWN).json == {"status": "ready"}


def test_the_laboratory_is_not_there_when_it_is_off(site: Site) -> None:
    """Without lab.enabled no address of the laboratory exists (SEC-44)."""
    for path in ("/lab", "/lab/api/personas", "/lab/api/clock", "/lab/portal/UWV"):
        assert site.get(path).response.status_code == 404


def test_services_are_listed_for_everyone(site: Site) -> None:
    """The public list shows every service of the catalogue with its level, and the same as JSON (F03)."""
    page = site.get("/diensten")
    words = page.soup.get_text(" ")
    listed = site.browser.get("/diensten.json", base_url=OWN).json
    assert listed is not None
    assert {one["id"] for one in listed["services"]} == set(site.clients)
    for one in listed["services"]:
        assert one["name"]["nl"] in words
        assert one["level"] in words
    narrowed = site.get("/diensten?zoek=uwv&niveau=EH3")
    assert "1 van 7" in narrowed.control("count").get_text()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/LoginHandler/nl/ForgotUsername/ForgotUsername", "/gebruikersnaam-vergeten"),
        ("/LoginHandler/nl/ForgotPassword/ForgotPassword", "/wachtwoord-vergeten"),
        ("/eh-aanmelden", "/activeren"),
    ],
)
def test_old_addresses_lead_to_the_new_ones(site: Site, old: str, new: str) -> None:
    """The addresses in old letters still work (F40)."""
    response = site.browser.get(old, base_url=OWN)
    assert response.status_code == 301
    assert response.headers["Location"].endswith(new)
    assert site.get(new).response.status_code == 200


def test_the_trail_of_a_site_is_whole(site: Site) -> None:
    """After pages, errors and logins the audit chain verifies."""
    from idp.services.audit import verify

    site.get("/oidc/authorize?client_id=nobody")
    site.log_in("anna", "UWV")
    with site.office.reading() as connection:
        assert verify(connection) is None
        assert connection.execute(text("SELECT count(*) FROM audit_event")).scalar_one() > 3
