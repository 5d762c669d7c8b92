"""mozilla-django-oidc as it comes, in a Django site of its own: logs in, renews silently, takes no for an answer."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.conformance.openid import registered, told_in
from tests.conformance.person import Person
from tests.fixtures.network import free_port
from tests.fixtures.sandbox import Demo

# Long enough for the way back, which must not be renewed in turn.
RENEWED_AFTER = 3
SOURCE = Path(__file__).parent / "django"


@dataclass
class Site:
    """The running site."""

    demo: Demo
    url: str

    def person(self, username: str) -> Person:
        """A persona with a new browser."""
        return Person(self.demo, username)

    def log_in(self, person: Person) -> dict[str, Any]:
        """Send a person from the site to us and back; answers what the site shows then."""
        sent = person.session.get(f"{self.url}/oidc/authenticate/", allow_redirects=False, timeout=60)
        back = person.visit(sent.headers["Location"])
        assert isinstance(back, str), back
        assert back.startswith(f"{self.url}/oidc/callback/?")
        return dict(person.session.get(back, timeout=60).json())

    def shown(self, person: Person) -> dict[str, Any]:
        """Who the site thinks is there."""
        return dict(person.session.get(f"{self.url}/me/", timeout=60).json())


@pytest.fixture(scope="module", params=["RS256", "ES256"])
def site(
    request: pytest.FixtureRequest,
    demo: Demo,
    environment: Callable[[Path], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """The site, by Basic and RS256, and by a posted secret and ES256, renewing after seconds."""
    demo.reset()
    python, folder, port = environment(SOURCE), tmp_path_factory.mktemp("django"), free_port()
    url, basic = f"http://127.0.0.1:{port}", request.param == "RS256"
    client = {
        "redirect_uris": [f"{url}/oidc/callback/"],
        "token_endpoint_auth_method": "client_secret_basic" if basic else "client_secret_post",
        "id_token_signed_response_alg": request.param,
        "services": "UWV",
    }
    with registered(demo, {"django": client}) as made:
        found = requests.get(demo.url("/.well-known/openid-configuration"), timeout=60).json()
        settings = {
            "OIDC_RP_CLIENT_ID": made["django"].client_id,
            "OIDC_RP_CLIENT_SECRET": made["django"].secret,
            "OIDC_RP_SIGN_ALGO": request.param,
            "OIDC_TOKEN_USE_BASIC_AUTH": basic,
            "OIDC_OP_AUTHORIZATION_ENDPOINT": found["authorization_endpoint"],
            "OIDC_OP_TOKEN_ENDPOINT": found["token_endpoint"],
            "OIDC_OP_USER_ENDPOINT": found["userinfo_endpoint"],
            "OIDC_OP_JWKS_ENDPOINT": found["jwks_uri"],
            "OIDC_RENEW_ID_TOKEN_EXPIRY_SECONDS": RENEWED_AFTER,
        }
        file = folder / "settings.json"
        file.write_text(json.dumps({"port": port, "settings": settings}))
        command = [str(python), str(SOURCE / "site.py"), str(file)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline() == "ready\n", process.stderr and process.stderr.read()[-3000:]
                yield Site(demo, url)
            finally:
                process.terminate()


def test_a_company_logs_in_and_is_renewed(site: Site) -> None:
    """Anna's company arrives; the next look renews by ``prompt=none`` and finds the same person."""
    anna = site.person("anna")
    first = site.log_in(anna)
    organisation = anna.facts["organisations"][0]  # type: ignore[index]
    assert first["company"] == organisation["kvk"]
    time.sleep(RENEWED_AFTER + 0.1)
    sent = anna.session.get(f"{site.url}/me/", allow_redirects=False, timeout=60)
    assert told_in(sent.headers["Location"])["prompt"] == "none"
    assert site.shown(anna) == first


def test_who_is_refused_is_not_logged_in(site: Site) -> None:
    """Emre's level is too low for the service; the site shows its own page for failures."""
    emre = site.person("emre")
    assert site.log_in(emre) == {"failed": True}
    assert site.shown(emre) == {"user": "", "company": ""}


def test_a_used_answer_logs_nobody_in(site: Site) -> None:
    """The same address a second time is refused: its state was used, and so was its code."""
    site.demo.reset()
    anna, thief = site.person("anna"), site.person("anna")
    sent = anna.session.get(f"{site.url}/oidc/authenticate/", allow_redirects=False, timeout=60)
    back = anna.visit(sent.headers["Location"])
    assert isinstance(back, str)
    assert anna.session.get(back, timeout=60).json()["company"]
    assert thief.session.get(back, timeout=60).status_code == 400 or site.shown(thief)["user"] == ""
