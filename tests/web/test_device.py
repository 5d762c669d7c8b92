"""Logging in for a device: what the device is told, what the person sees, and who guesses (RFC 8628)."""

import base64
import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from idp.protocols.oidc.client.registration import described
from idp.services.relying_parties import parties
from idp.services.work import Office
from idp.store.devices import DeviceRow
from tests.office import StandingClock
from tests.web.kit import Page, Site

GRANT = "urn:ietf:params:oauth:grant-type:device_code"


class Device:
    """A television that wants somebody to log in."""

    def __init__(self, site: Site, client_id: str, secret: str) -> None:
        self.site, self.client_id = site, client_id
        pair = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
        self.headers = {"Authorization": f"Basic {pair}"} if secret else {}
        self.told: dict[str, Any] = {}

    def post(self, path: str, **form: str) -> tuple[int, dict[str, Any]]:
        """Call an endpoint."""
        own = {} if self.headers else {"client_id": self.client_id}
        response = self.site.new_browser().post(
            path, base_url="http://localhost:8000", data=own | form, headers=self.headers
        )
        assert response.headers["Cache-Control"] == "no-store"
        return response.status_code, response.get_json()

    def begin(self, **form: str) -> "Device":
        """Ask for the codes."""
        status, self.told = self.post("/oidc/device", **{"scope": "openid kvk"} | form)
        assert status == 200, self.told
        return self

    def poll(self, **form: str) -> tuple[int, dict[str, Any]]:
        """Ask for the tokens."""
        return self.post("/oidc/token", **{"grant_type": GRANT, "device_code": self.told["device_code"]} | form)

    def error(self, **form: str) -> str:
        """The error that asking for the tokens gives."""
        status, told = self.poll(**form)
        assert status == 400, told
        return str(told["error"])

    def waits(self, seconds: float) -> "Device":
        """Let time pass."""
        self.site.office.clock.move(timedelta(seconds=seconds))  # type: ignore[attr-defined]
        return self


@pytest.fixture
def device(site: Site, office: Office) -> Device:
    """A device whose client can keep no secret."""
    return registered(site, office)


def registered(site: Site, office: Office, **changes: Any) -> Device:
    """A device of a client for UWV."""
    given = {"client_name": "Televisie", "grant_types": [GRANT], "token_endpoint_auth_method": "none"} | changes
    with office.work("test") as work:
        added = parties.add(work, described(json.dumps(given).encode(), ("UWV",), {}, None))
    return Device(site, added.party.identity, added.secret)


def typed(site: Site, code: str) -> Page:
    """The page after typing a code."""
    page = site.fill(site.get("/apparaat"), {"user_code": code}, "device-form")
    assert isinstance(page, Page)
    return page


def agree(site: Site, code: str) -> Page:
    """Type the code, agree, and log in."""
    page = site.fill(typed(site, code), {}, "device-agree-form")
    assert isinstance(page, Page)
    if page.name == "login-password":
        page = site.identify(page, "anna")  # type: ignore[assignment]
        page = site.prove(page, "anna")  # type: ignore[assignment]
    assert isinstance(page, Page)
    return page


def test_a_person_logs_in_for_a_device(site: Site, device: Device) -> None:
    """Codes, the question whose device it is, the login, and then tokens about the person (section 3)."""
    told = device.begin().told
    assert set(told) == {
        "device_code", "user_code", "verification_uri", "verification_uri_complete", "expires_in", "interval",
    }  # fmt: skip
    assert (told["expires_in"], told["interval"]) == (600, 5)
    assert told["verification_uri"] == "http://localhost:8000/apparaat"
    assert told["verification_uri_complete"].endswith(f"/apparaat?user_code={told['user_code']}")
    assert device.error() == "authorization_pending"
    page = typed(site, told["user_code"])
    assert page.name == "device-confirm"
    shown = page.soup.get_text(" ")
    assert "Televisie" in shown
    assert told["user_code"] in shown
    end = agree(site, told["user_code"])
    assert (end.name, end.control("device-outcome")["data-granted"]) == ("device-end", "true")
    status, tokens = device.waits(5).poll()
    assert status == 200
    assert (tokens["token_type"], tokens["scope"]) == ("Bearer", "openid kvk")
    claims = json.loads(base64.urlsafe_b64decode(tokens["id_token"].split(".")[1] + "=="))
    assert (claims["aud"], claims["represents"]["name"]) == (device.client_id, claims["represents"]["name"])


def test_the_codes_count_once(site: Site, device: Device) -> None:
    """The code of the person is over once used, and a second use of the device's ends what the first gave (SEC-21)."""
    code = device.begin().told["user_code"]
    agree(site, code)
    assert typed(site, code).control("problem")["data-problem"] == "DEVICE_CODE"
    status, tokens = device.poll()
    assert status == 200
    assert device.error() == "invalid_grant"
    answer = site.new_browser().get(
        "/oidc/userinfo",
        base_url="http://localhost:8000",
        headers={"Authorization": f"Bearer {tokens['access_token']}"},
    )
    assert answer.status_code == 401


def test_a_code_is_read_as_people_type_it(site: Site, device: Device) -> None:
    """Lower case, spaces and a missing hyphen do not matter, and the address can bring the code along."""
    code = device.begin().told["user_code"]
    for spelling in (code.lower(), code.replace("-", ""), f" {code[:2]} {code[2:]} "):
        assert typed(site, spelling).name == "device-confirm"
    address = urlsplit(device.told["verification_uri_complete"])
    assert site.get(f"{address.path}?{address.query}").control("user_code")["value"] == code


def test_a_refusal_reaches_the_device(site: Site, device: Device) -> None:
    """Whoever refuses, before the login or in it, lets the device hear access_denied (section 3.5)."""
    page = site.fill(typed(site, device.begin().told["user_code"]), {}, "device-refuse-form")
    assert isinstance(page, Page)
    assert (page.name, page.control("device-outcome")["data-granted"]) == ("device-end", "false")
    assert device.error() == "access_denied"
    login = site.fill(typed(site, device.begin().told["user_code"]), {}, "device-agree-form")
    assert isinstance(login, Page)
    assert login.name == "login-password"
    page = site.fill(login, {}, "cancel-form")
    assert isinstance(page, Page)
    assert page.control("device-outcome")["data-granted"] == "false"
    assert device.error() == "access_denied"


def test_a_hasty_device_is_slowed_down(device: Device) -> None:
    """Each poll before its time adds five seconds to the pace (section 3.5)."""
    device.begin()
    assert device.error() == "authorization_pending"
    assert device.waits(4).error() == "slow_down"
    assert device.waits(9).error() == "slow_down"
    assert device.waits(15).error() == "authorization_pending"
    assert device.waits(14).error() == "slow_down"


def test_codes_age(site: Site, device: Device) -> None:
    """After ten minutes both codes are over."""
    code = device.begin().told["user_code"]
    device.waits(599)
    assert typed(site, code).name == "device-confirm"
    device.waits(1)
    assert typed(site, code).control("problem")["data-problem"] == "DEVICE_CODE"
    assert device.error() == "expired_token"


def test_a_login_that_ends_too_late_gives_nothing(site: Site, device: Device) -> None:
    """Whoever logs in after the codes are over hears that the device is not logged in."""
    login = site.fill(typed(site, device.begin().told["user_code"]), {}, "device-agree-form")
    assert isinstance(login, Page)
    device.waits(601)
    proof = site.identify(login, "anna")
    assert isinstance(proof, Page)
    end = site.prove(proof, "anna")
    assert isinstance(end, Page)
    assert end.control("device-outcome")["data-granted"] == "false"
    assert device.error() == "expired_token"


def test_guessing_is_slowed_down(site: Site, device: Device) -> None:
    """After some wrong codes from one place even the right one has to wait (section 5.1, SEC-28)."""
    code = device.begin().told["user_code"]
    pages = [typed(site, "BCDF-GHJK") for _ in range(12)]
    assert pages[0].response.status_code == 422
    assert pages[-1].response.status_code == 429
    assert typed(site, code).control("problem")["data-problem"] == "L05"


@pytest.mark.parametrize("wrong", ["", "x", "AEIO-UAEI", "BCDF-GHJ", "é" * 8, "B" * 200])
def test_what_is_no_code_is_refused(site: Site, wrong: str) -> None:
    """Anything else than eight of our letters is told to be unknown."""
    assert typed(site, wrong).control("problem")["data-problem"] == "DEVICE_CODE"


def test_only_digests_are_kept(office: Office, device: Device) -> None:
    """Neither code stands in the database (SEC-31), and both are long and drawn anew."""
    first, second = (device.begin().told for _ in range(2))
    assert len({first["user_code"], second["user_code"], first["device_code"], second["device_code"]}) == 4
    with office.reading() as connection:
        rows = str(connection.execute(select(DeviceRow)).all())
    assert first["device_code"] not in rows
    assert first["user_code"].replace("-", "") not in rows


def test_the_endpoint_refuses_what_it_must(site: Site, office: Office, device: Device) -> None:
    """Another client's code, a client without the grant and faulty requests are refused in OAuth's form."""
    device.begin()
    other = registered(site, office)
    assert other.post("/oidc/token", grant_type=GRANT, device_code=device.told["device_code"])[1]["error"] == (
        "invalid_grant"
    )
    assert device.error(device_code="x") == "invalid_grant"
    assert device.post("/oidc/token", grant_type=GRANT)[1]["error"] == "invalid_request"
    for form, error in (
        ({"scope": "profile"}, "invalid_scope"),
        ({"scope": "openid", "prompt": "none"}, "invalid_request"),
        ({"scope": "openid", "max_age": "x"}, "invalid_request"),
        ({"scope": "openid", "acr_values": "urn:unknown"}, "invalid_request"),
        ({"scope": "openid", "resource": "https://api.example.test/"}, "invalid_target"),
    ):
        assert device.post("/oidc/device", **form)[1]["error"] == error
    plain = Device(site, site.clients["UWV"], "")
    assert plain.post("/oidc/device", scope="openid")[1]["error"] == "unauthorized_client"
    assert Device(site, "nobody", "").post("/oidc/device", scope="openid")[0] == 401


def test_a_code_of_a_device_is_no_authorization_code(site: Site, office: Office) -> None:
    """A device code at the grant of the browser's flow is refused, and the other way round."""
    device = registered(
        site,
        office,
        grant_types=[GRANT, "authorization_code"],
        redirect_uris=["https://tv.example.test/"],
    ).begin()
    agree(site, device.told["user_code"])
    status, told = device.post(
        "/oidc/token",
        grant_type="authorization_code",
        code=device.told["device_code"],
        redirect_uri="https://tv.example.test/",
    )
    assert (status, told["error"]) == (400, "invalid_grant")
    assert device.error() == "invalid_grant"


def test_the_standing_clock_is_the_site_s(clock: StandingClock, office: Office) -> None:
    """The tests move the one clock of the office."""
    assert office.clock is clock
