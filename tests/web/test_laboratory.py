"""The laboratory in one process: what it is told in nonsense is a client error, and whom it answers."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bs4 import Tag
from werkzeug.test import Client

from idp.app import create_app
from idp.effects.clock import LabClock
from idp.lab.portals import register
from idp.lab.seed import seed
from tests.office import open_test_office
from tests.web.kit import Page

OWN = "http://localhost:8000"


@pytest.fixture
def browser(sqlite_database: str, web_keys: Path, tmp_path: Path) -> Iterator[Client]:
    """A browser of a laboratory with the world and its portals."""
    clock = LabClock(tmp_path / "clock")
    office = open_test_office(sqlite_database, web_keys, clock, paths__data=str(tmp_path))  # type: ignore[arg-type]
    seed(office, 7)
    register(office, tmp_path, OWN)
    yield Client(create_app(office))
    office.engine.dispose()


@pytest.mark.parametrize(
    "body", ['{"advance_seconds": ' + "9" * 400 + "}", '{"advance_seconds": ' + "9" * 5000 + "}", "[" * 100000]
)
def test_a_wish_without_end_is_a_client_error(browser: Client, body: str) -> None:
    """A number or a nesting without end is answered with 400 and a sentence (SEC-3)."""
    answer = browser.put("/lab/api/clock", data=body, base_url=OWN)
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["error"].endswith(".")


def test_a_field_without_end_is_a_client_error(browser: Client) -> None:
    """The clock's page answers a number of thousands of digits with its own page and status 400 (SEC-3)."""
    page = Page(browser.get("/lab/clock", base_url=OWN))
    field = page.soup.find("input", attrs={"name": "csrf_token"})
    assert isinstance(field, Tag)
    form = {"csrf_token": str(field["value"]), "step": "advance", "seconds": "9" * 5000}
    answer = browser.post("/lab/clock", data=form, base_url=OWN)
    assert (answer.status_code, Page(answer).name) == (400, page.name)


@pytest.mark.parametrize("host", ["[::1]:8123", "[::1]", "127.0.0.1:8123"])
def test_every_loopback_address_is_ours(browser: Client, host: str) -> None:
    """With the laboratory on, a loopback host is ours, by IPv6 in brackets too, with or without a port (SEC-44)."""
    for path in ("/healthz", "/lab", "/lab/api/clock"):
        assert browser.get(path, base_url=f"http://{host}").status_code == 200, path


@pytest.mark.parametrize("state", ["", "&state="])
def test_a_return_without_a_state_is_not_believed(browser: Client, state: str) -> None:
    """A portal that sent nobody away believes no answer, also not one without a state (SEC-19)."""
    answer = browser.get(f"/lab/portal/OLO/oidc/callback?error=invalid_request&iss={OWN}{state}", base_url=OWN)
    assert "not believed: state" in answer.get_data(as_text=True)
