"""A municipality's real software, django-digid-eherkenning as it comes, logs companies in (domain 3.7)."""

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
from bs4 import BeautifulSoup, Tag
from playwright.sync_api import Browser

from tests.browser.walk import identify, prove
from tests.conformance.keys import pair
from tests.conformance.person import Person
from tests.fixtures.network import free_port
from tests.fixtures.sandbox import Demo

SOURCE = Path(__file__).parent / "municipality"
OIN = "00000009900000004000"
ENTITY = f"urn:etoegang:DV:{OIN}:entities:9009"
GEM = "4f8e3b3e-9d88-4e4b-8f86-4b3d8b0f1001"
FAILED = "Login to eHerkenning did not succeed. Please try again."
KINDS = ("text/xml", "application/soap+xml")


@dataclass
class Municipality:
    """The running site, and the browser of a person at it."""

    demo: Demo
    url: str
    browser: requests.Session = field(default_factory=requests.Session)

    def begin(self, username: str) -> Person:
        """Go to the site's log-in page with a new browser; the person then stands at our first page."""
        self.demo.reset()
        self.browser = requests.Session()
        return Person(self.demo, username, self.browser)

    def request(self) -> tuple[str, dict[str, str]]:
        """The form by which the site sends a person to us."""
        page = BeautifulSoup(self.browser.get(f"{self.url}/eherkenning/login/", timeout=30).text, "html.parser")
        form = page.find("form")
        assert isinstance(form, Tag)
        fields = {str(one["name"]): str(one.get("value", "")) for one in form.find_all("input") if one.get("name")}
        return str(form["action"]), fields

    def log_in(self, username: str) -> str:
        """Let a persona log in; answers the address at the site to which we send the browser back."""
        person = self.begin(username)
        action, fields = self.request()
        ended = person.post(action, fields)
        assert isinstance(ended, str), ended
        assert ended.startswith(f"{self.url}/eherkenning/acs/?SAMLart=")
        return ended

    def cancel(self) -> str:
        """Go to our first page and cancel there."""
        person = self.begin("anna")
        action, fields = self.request()
        response = self.browser.post(action, data=fields, timeout=30)
        page = BeautifulSoup(response.text, "html.parser")
        control = page.select_one("[data-testid=cancel]")
        assert control is not None
        form = control.find_parent("form")
        assert isinstance(form, Tag)
        sent = {str(one["name"]): str(one.get("value", "")) for one in form.find_all("input")}
        sent |= {str(control["name"]): str(control["value"])} if control.get("name") else {}
        ended = person.post(urljoin(response.url, str(form.get("action", ""))), sent)
        assert isinstance(ended, str), ended
        return ended

    def arrive(self, address: str) -> Any:
        """What the site shows when the browser comes back."""
        answer = self.browser.get(address, timeout=60)
        assert answer.status_code == 200, answer.text[:2000]
        return answer.json()


def run(python: Path, settings: Path, *what: str) -> bytes:
    """Run the site's program to its end."""
    command = [str(python), str(SOURCE / "site.py"), str(settings), *what]
    done = subprocess.run(command, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    return done.stdout


def written(folder: Path, demo: Demo, port: int, kind: str) -> Path:
    """The settings of the site, in a file."""
    file = folder / "settings.json"
    url = f"http://127.0.0.1:{port}"
    configuration = {
        "metadata_file_source": demo.facts["saml_metadata_eherkenning"],
        "entity_id": ENTITY,
        "base_url": url,
        "oin": OIN,
        "makelaar_id": "00000009888888888001",
        "service_name": "Ondernemersloket",
        "service_description": "Vergunningen en afspraken",
        "service_description_url": "https://waterbroek.test/dienst",
        "privacy_policy": "https://waterbroek.test/privacy",
        "organization_name": "Gemeente Waterbroek",
        "organization_url": "https://waterbroek.test/",
        "eh_loa": "urn:etoegang:core:assurance-class:loa3",
        "eh_attribute_consuming_service_index": "1",
        "eh_service_uuid": GEM,
        "eh_service_instance_uuid": "4f8e3b3e-9d88-4e4b-8f86-4b3d8b0f2001",
        "no_eidas": True,
        "artifact_resolve_content_type": kind,
    }
    key = pair("municipality")
    settings = {"secret": "x" * 50, "port": port, "key": key.key, "certificate": key.certificate}
    file.write_text(json.dumps(settings | {"configuration": configuration}))
    return file


@pytest.fixture(scope="module", params=KINDS, ids=["text", "soap"])
def site(
    request: pytest.FixtureRequest,
    demo: Demo,
    environment: Callable[[Path], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Municipality]:
    """The site, known to us by its own metadata, running."""
    python, folder, port = environment(SOURCE), tmp_path_factory.mktemp("site"), free_port()
    settings = written(folder, demo, port, request.param)
    metadata = folder / "metadata.xml"
    metadata.write_bytes(run(python, settings, "metadata"))
    added = demo.run(
        "providers", "add", "--json", "--metadata", str(metadata), "--services", "GEM", "--profile", "eherkenning-1.13"
    )
    assert added.returncode == 0, added.stderr
    facts = json.loads(added.stdout)
    assert (facts["entity_id"], facts["services"]) == (ENTITY, [{"id": "GEM", "index": 1}])
    command = [str(python), str(SOURCE / "site.py"), str(settings), "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", process.stderr and process.stderr.read()[-3000:]
            yield Municipality(demo, f"http://127.0.0.1:{port}")
        finally:
            process.terminate()
            demo.run("providers", "remove", facts["id"])


def failed(shown: dict[str, Any], logged: str) -> None:
    """Hold what the site shows and logs against a login that failed."""
    assert shown["messages"] == [FAILED]
    assert logged in shown["log"]


def test_a_company_logs_in(site: Municipality) -> None:
    """Anna's company arrives with its KvK number and RSIN, at the level of the service, without any branch."""
    shown = site.arrive(site.log_in("anna"))
    organisation = Person(site.demo, "anna").facts["organisations"][0]  # type: ignore[index]
    assert shown["kvk"] == organisation["kvk"]
    assert (shown["user"], len(shown["rsin"])) == (shown["rsin"], 9)
    assert (shown["branches"], shown["service"]) == ([], [GEM])
    assert shown["level"] == ["urn:etoegang:core:assurance-class:loa3"]


def test_a_branch_logs_in(site: Municipality) -> None:
    """Chris, who is registered on a branch, arrives with that branch number beside the KvK number."""
    shown = site.arrive(site.log_in("chris"))
    organisation = Person(site.demo, "chris").facts["organisations"][0]  # type: ignore[index]
    assert (shown["kvk"], shown["branches"]) == (organisation["kvk"], [organisation["branch"]])


def test_who_cancels_is_not_logged_in(site: Municipality) -> None:
    """The site hears of it by artifact, says so, and nobody is logged in."""
    failed(site.arrive(site.cancel()), "did not succeed or was cancelled")
    assert site.arrive(f"{site.url}/company/") == {"user": ""}


def test_who_is_refused_is_not_logged_in(site: Municipality) -> None:
    """Emre's means is below the level of the service; when he leaves the refusal the site says that it failed."""
    failed(site.arrive(site.log_in("emre")), "did not succeed or was cancelled")
    assert site.arrive(f"{site.url}/company/") == {"user": ""}


def test_a_used_artifact_is_an_ordinary_failure(site: Municipality) -> None:
    """Coming back to the same address does not log in again, and the site shows its page for that, no fault."""
    address = site.log_in("anna")
    assert site.arrive(address)["kvk"]
    failed(site.arrive(address), "technical error")


def test_a_company_logs_in_with_a_real_browser(site: Municipality, chromium: Browser) -> None:
    """In Chromium, over two sites, the site's script sends the request and our policy lets the answer back (RC-7)."""
    site.demo.reset()
    context = chromium.new_context(locale="nl-NL")
    page = context.new_page()
    blocked: list[str] = []
    page.on(
        "console", lambda message: blocked.append(message.text) if "Content Security Policy" in message.text else None
    )
    page.goto(f"{site.url}/eherkenning/login/")
    page.wait_for_selector("[data-page=login-password]")
    identify(page, site.demo, "anna")
    prove(page, site.demo, "anna")
    page.wait_for_url(f"{site.url}/company/")
    assert json.loads(page.inner_text("body"))["service"] == [GEM]
    assert blocked == []
    context.close()
