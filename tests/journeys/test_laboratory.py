"""The laboratory's interface and pages, over real HTTP against a running sandbox with two workers."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
import requests

from tests.fixtures.sandbox import Demo
from tests.journeys.walker import Walker

_SERVICES = {"UWV", "RVO-3", "RVO-2PLUS", "OLO", "GEM", "EH1-DEMO", "EH4-DEMO"}


@pytest.fixture
def lab(demo: Demo) -> Iterator[Demo]:
    """A sandbox that is set back afterwards."""
    yield demo
    demo.reset()


def clock(lab: Demo) -> dict[str, Any]:
    """The clock as the interface gives it."""
    return dict(requests.get(lab.url("/lab/api/clock"), timeout=60).json())


def put(lab: Demo, wish: object) -> requests.Response:
    """Tell the clock something."""
    return requests.put(lab.url("/lab/api/clock"), json=wish, timeout=60)


def instant(answer: dict[str, Any]) -> datetime:
    """The instant in an answer."""
    return datetime.fromisoformat(answer["now"])


def test_personas_have_the_fields_of_the_contract(lab: Demo) -> None:
    """Every persona has its fields and a cell for every service; passwords and secrets are told."""
    personas = requests.get(lab.url("/lab/api/personas"), timeout=60).json()
    by_name = {one["username"]: one for one in personas}
    assert len(personas) == 30
    required = {"id", "name", "username", "password", "email", "responder", "organisations", "expected"}
    assert all(required <= one.keys() and set(one["expected"]) == _SERVICES for one in personas)
    assert set(by_name["anna"]["responder"]) == {"serial", "secret", "algorithm", "digits", "period"}
    assert by_name["uma"]["responder"] is None
    assert by_name["zohra"]["responder"] is None
    assert by_name["uma"]["organisations"] == []
    assert len(by_name["nora"]["organisations"]) == 2
    assert set(by_name["dina"]["organisations"][0]) == {"kvk", "branch", "name"}
    assert by_name["sam"]["email"] == by_name["sam2"]["email"]


def test_a_code_is_that_of_the_device(lab: Demo) -> None:
    """The code is what a device with the persona's secret shows at the laboratory's time; asking changes nothing."""
    put(lab, {"now": "2026-03-01T12:00:10+00:00", "frozen": True})
    anna = next(one for one in requests.get(lab.url("/lab/api/personas"), timeout=60).json() if one["id"] == "anna")
    shown = requests.get(lab.url("/lab/api/otp/anna"), timeout=60).json()
    device = pyotp.TOTP(anna["responder"]["secret"])
    assert shown == {"code": device.at(datetime(2026, 3, 1, 12, 0, 10, tzinfo=UTC)), "expires_in": 20}
    assert requests.get(lab.url("/lab/api/otp/anna"), timeout=60).json() == shown


@pytest.mark.parametrize("username", ["uma", "zohra", "nobody", "%00", "a" * 300])
def test_without_a_responder_there_is_no_code(lab: Demo, username: str) -> None:
    """An account without a responder, or no account, is a 404 in JSON."""
    answer = requests.get(lab.url(f"/lab/api/otp/{username}"), timeout=60)
    assert answer.status_code == 404
    assert set(answer.json()) == {"error"}


def test_the_clock_is_set_for_every_worker_at_once(lab: Demo) -> None:
    """After the call returned no worker shows another time, whichever answers."""
    for year in range(2027, 2032):
        moment = datetime(year, 1, 1, tzinfo=UTC)
        assert instant(put(lab, {"now": moment.isoformat(), "frozen": True}).json()) == moment
        assert seen_by_all(lab) == {moment}


def seen_by_all(lab: Demo) -> set[datetime]:
    """What many simultaneous askers are told, over connections of their own."""
    seen: list[datetime] = []
    askers = [threading.Thread(target=lambda: seen.append(instant(clock(lab)))) for _ in range(12)]
    for one in askers:
        one.start()
    for one in askers:
        one.join()
    assert len(seen) == len(askers)
    return set(seen)


def test_the_clock_runs_on_from_where_it_is_put(lab: Demo) -> None:
    """``now`` alone lets the clock run from there, even when it stood; frozen it stands, advanced it stays frozen."""
    put(lab, {"frozen": True})
    put(lab, {"now": "2030-06-01T00:00:00Z"})
    begin = datetime(2030, 6, 1, tzinfo=UTC)
    assert clock(lab)["frozen"] is False
    assert begin < instant(clock(lab)) < begin + timedelta(minutes=5)
    put(lab, {"frozen": True})
    stood = clock(lab)
    assert clock(lab) == stood
    advanced = put(lab, {"advance_seconds": 3600}).json()
    assert instant(advanced) - instant(stood) == timedelta(hours=1)
    assert advanced["frozen"] is True


def test_a_released_clock_is_the_machines(lab: Demo) -> None:
    """Releasing gives the machine's time back."""
    put(lab, {"now": "2030-06-01T00:00:00Z", "frozen": True})
    answer = put(lab, {"release": True}).json()
    assert answer["frozen"] is False
    assert abs(instant(answer) - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    "wish",
    [
        {},
        [],
        "now",
        {"now": "yesterday"},
        {"now": 5},
        {"frozen": "yes"},
        {"advance_seconds": True},
        {"advance_seconds": 1e99},
        {"release": False},
        {"release": True, "frozen": True},
        {"now": "2026-01-01T00:00:00Z", "advance_seconds": 1},
        {"now": "1850-01-01T00:00:00Z"},
        {"hour": 3},
    ],
)
def test_a_clock_told_nonsense_says_so(lab: Demo, wish: object) -> None:
    """What makes no sense is a 400 with a sentence, and the clock stays."""
    before = clock(lab)["frozen"]
    answer = put(lab, wish)
    assert answer.status_code == 400
    assert answer.json()["error"].endswith(".")
    assert clock(lab)["frozen"] is before


def test_a_body_that_is_not_json_is_a_sentence(lab: Demo) -> None:
    """A body that is not JSON is a 400 with a sentence."""
    answer = requests.put(lab.url("/lab/api/clock"), data=b"{", timeout=60)
    assert (answer.status_code, answer.json()) == (400, {"error": "The body must be JSON."})


@pytest.mark.parametrize(("method", "path"), [("PUT", "/lab/api/clock"), ("POST", "/lab/api/reset")])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1"])
def test_a_foreign_page_cannot_change_the_laboratory(lab: Demo, method: str, path: str, origin: str) -> None:
    """A browser on another site can neither move the clock nor reset the world (SEC-32)."""
    answer = requests.request(method, lab.url(path), json={"frozen": True}, headers={"Origin": origin}, timeout=60)
    assert answer.status_code == 403
    assert clock(lab)["frozen"] is False


@pytest.mark.parametrize("path", ["/lab", "/lab/api/personas", "/lab/api/otp/anna", "/lab/connect"])
@pytest.mark.parametrize("host", ["example.org", "lab.test.example.org", "192.0.2.1"])
def test_the_laboratory_answers_to_local_names_only(lab: Demo, path: str, host: str) -> None:
    """Under a name that is not loopback or below .test nothing is told, so no rebinding helps (SEC-44)."""
    answer = requests.get(lab.url(path), headers={"Host": host}, timeout=60)
    assert answer.status_code in (403, 421)
    assert "2026-lab" not in answer.text


def test_a_reset_gives_the_world_back(lab: Demo) -> None:
    """After a reset a spent code works again, sessions are gone, the clock is released."""
    put(lab, {"now": "2026-03-01T12:00:00Z", "frozen": True})
    first = enter(lab, "anna")
    assert first.page.outcome == "granted"
    again = enter(lab, "anna")
    assert again.page.problem == "L03"
    assert requests.post(lab.url("/lab/api/reset"), timeout=60).json() == {"reset": True}
    assert clock(lab)["frozen"] is False
    first.visit("/lab/portal/UWV").follow("start-oidc").through()
    assert first.page.name == "login-password"
    assert enter(lab, "anna").page.outcome == "granted"


def enter(lab: Demo, username: str) -> Walker:
    """Log in at UWV with the code that the device shows."""
    walker = Walker(lab.base_url).visit("/lab/portal/UWV").follow("start-oidc").through()
    walker.submit(username=username, password=f"{username.capitalize()}2026-lab")
    code = requests.get(lab.url(f"/lab/api/otp/{username}"), timeout=60).json()["code"]
    return walker.submit(code=code).through()


def test_registered_parties_stay_after_a_reset(lab: Demo) -> None:
    """The portals, registered like any party, still log people in after a reset."""
    listed = lab.run("providers", "list", "--json")
    assert listed.returncode == 0, listed.stderr
    lab.reset()
    assert lab.run("providers", "list", "--json").stdout == listed.stdout
    assert listed.stdout.count('"client_id": "portal-') == 7


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/lab", "lab-start"),
        ("/lab/personas/anna", "lab-persona"),
        ("/lab/personas/uma", "lab-persona"),
        ("/lab/personas/daan", "lab-persona"),
        ("/lab/inbox", "lab-inbox"),
        ("/lab/clock", "lab-clock"),
        ("/lab/connect", "lab-connect"),
        ("/lab/portal/UWV", "lab-portal"),
        ("/lab/portal/GEM", "lab-portal"),
    ],
)
def test_pages(lab: Demo, path: str, name: str, language: str) -> None:
    """Every page of the laboratory is there in both languages, with the banner and its fixed name."""
    page = Walker(lab.base_url).visit(f"{path}?lang={language}").page
    assert (page.status, page.name) == (200, name)
    assert page.soup.html is not None
    assert page.soup.html["lang"] == language
    assert page.find("lab-banner") is not None


@pytest.mark.parametrize("path", ["/lab/personas/nobody", "/lab/inbox/none", "/lab/portal/NONE", "/lab/api/none"])
def test_what_is_not_there_is_a_404(lab: Demo, path: str) -> None:
    """An unknown persona, message, portal or address is a 404."""
    assert requests.get(lab.url(path), timeout=60).status_code == 404


def test_the_start_page_shows_codes_and_cells(lab: Demo) -> None:
    """The start page has every persona with its code, and the table of who gets in where."""
    put(lab, {"frozen": True})
    page = Walker(lab.base_url).visit("/lab").page
    code = requests.get(lab.url("/lab/api/otp/anna"), timeout=60).json()["code"]
    assert page.text("otp-anna") == code
    rows = page.soup.select("table.matrix tbody tr")
    assert len(rows) == 30
    bram = next(row for row in rows if row["data-persona"] == "bram")
    shown = [cell.select_one("[aria-hidden]") for cell in bram.select("td")]
    assert [one.get_text() if one else "" for one in shown] == ["✓", "D02", "D02", "D02", "D02", "✓", "D01"]


def test_the_clocks_page_moves_the_clock(lab: Demo) -> None:
    """The buttons of the clock's page do what they say, with a form token and without JavaScript."""
    walker = Walker(lab.base_url).visit("/lab/clock").submit("freeze-form")
    assert clock(lab)["frozen"] is True
    stood = instant(clock(lab))
    walker.submit("advance-form", seconds="86400")
    assert instant(clock(lab)) - stood == timedelta(days=1)
    walker.submit("set-form", now="2026-05-05T05:05:05+02:00")
    assert instant(clock(lab)) == datetime(2026, 5, 5, 3, 5, 5, tzinfo=UTC)
    assert clock(lab)["frozen"] is True
    walker.submit("set-form", now="straks")
    assert (walker.page.status, walker.page.problem) == (400, "BAD_TIME")
    walker.visit("/lab/clock").submit("release-form")
    assert clock(lab)["frozen"] is False
    without = walker.session.post(lab.url("/lab/clock"), data={"step": "freeze"}, timeout=60)
    assert without.status_code == 400


def test_what_a_portal_cannot_use_is_a_page(lab: Demo) -> None:
    """A return that no login of this browser caused is shown as not believed, never as an error of ours."""
    walker = Walker(lab.base_url)
    page = walker.visit("/lab/portal/UWV/oidc/callback?code=x&state=y").page
    assert (page.status, page.outcome, page.values) == (200, "refused", {})
    for body in ({}, {"SAMLResponse": "%%%"}, {"SAMLResponse": "PGE+", "RelayState": "x"}):
        answer = walker.session.post(lab.url("/lab/portal/UWV/saml/acs"), data=body, timeout=60)
        assert answer.status_code == 200
        assert 'data-outcome="refused"' in answer.text


def test_a_synthetic_account_logs_in(lab: Demo) -> None:
    """An account of ``idp lab populate`` gets in with the password and the secret that the command told."""
    made = lab.run("lab", "populate", "--accounts", "3", "--providers", "2", "--json")
    assert made.returncode == 0, made.stderr
    told = json.loads(made.stdout)
    assert told["accounts_total"] == len(told["accounts"]) == 3
    assert told["providers_total"] >= 2
    account = told["accounts"][-1]
    walker = Walker(lab.base_url).visit("/lab/portal/UWV").follow("start-saml").through()
    walker.submit(username=account["username"], password=told["password"])
    walker.submit(code=pyotp.TOTP(account["secret"]).at(instant(clock(lab)))).through()
    assert (walker.page.outcome, walker.page.failed_checks) == ("granted", [])


def test_a_kept_world_moves_to_another_port(start_demo: Callable[..., Demo]) -> None:
    """A sandbox started again on another port registers its portals there, and keeps its world."""
    first = start_demo("--seed", "5")
    first.stop()
    again = start_demo(folder=first.folder)
    assert again.base_url != first.base_url
    walker = enter(again, "anna")
    assert (walker.page.outcome, walker.page.failed_checks) == ("granted", [])
    listed = again.run("providers", "list", "--json").stdout
    assert listed.count('"client_id": "portal-') == 7
