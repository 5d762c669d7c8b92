"""openid-client, which checks signature, issuer, audience, nonce, state, times and the iss of RFC 9207."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conformance.metadata import register_client
from tests.conformance.person import Person
from tests.conformance.script import Refused, Script
from tests.fixtures.javascript import Node
from tests.fixtures.sandbox import Demo

REDIRECT = "https://openid-client.example.test/callback"
FOLDER = Path(__file__).parents[1] / "javascript"


@pytest.fixture(params=["RS256", "PS256", "ES256"])
def party(
    request: pytest.FixtureRequest, demo: Demo, node: Node, javascript: Callable[[Path], Path], tmp_path: Path
) -> Iterator[Script]:
    """A running client registered at UWV, with its ID tokens signed by each algorithm in turn."""
    demo.reset()
    client = {
        "client_name": "openid-client",
        "redirect_uris": [REDIRECT],
        "token_endpoint_auth_method": "client_secret_basic",
        "id_token_signed_response_alg": request.param,
    }
    with register_client(demo, client, tmp_path, "UWV") as facts:
        settings = {
            "issuer": demo.base_url,
            "redirect_uri": REDIRECT,
            "client_id": facts["client_id"],
            "client_secret": facts["client_secret"],
            "metadata": {"id_token_signed_response_alg": request.param},
        }
        with Script.start(node, javascript(FOLDER) / "oidc.js", settings, tmp_path) as script:
            yield script


def ended(demo: Demo, party: Script, username: str, **parameters: str) -> str:
    """Where a login of a persona ends."""
    found = Person(demo, username).visit(party.ask(do="begin", parameters=parameters)["url"])
    assert isinstance(found, str), found
    return found


def test_anna_logs_in(demo: Demo, party: Script) -> None:
    """The client accepts the ID token and userinfo and reads person, company and level."""
    done = party.ask(do="end", url=ended(demo, party, "anna"))
    claims = done["claims"]
    assert claims["acr"] == "urn:etoegang:core:assurance-class:loa3"
    assert claims["represents"]["sub"].isdecimal()
    assert claims["sub"] == done["userinfo"]["sub"] == claims["urn:etoegang:core:ActingSubjectID"]


def test_a_refusal_is_an_error_of_the_specification(demo: Demo, party: Script) -> None:
    """Emre's level gives unmet_authentication_requirements, bram at RVO would be access_denied (RUL-33)."""
    with pytest.raises(Refused, match="unmet_authentication_requirements"):
        party.ask(do="end", url=ended(demo, party, "emre"))


def test_an_answer_of_someone_else_is_refused(demo: Demo, party: Script) -> None:
    """An answer with another issuer or state is not taken by the client."""
    url = ended(demo, party, "anna")
    with pytest.raises(Refused):
        party.ask(do="end", url=url.replace("state=", "state=x"))


def test_a_code_counts_once(demo: Demo, party: Script) -> None:
    """The same answer a second time is an invalid grant."""
    url = ended(demo, party, "anna")
    party.ask(do="end", url=url)
    with pytest.raises(Refused, match="invalid_grant"):
        party.ask(do="end", url=url)
