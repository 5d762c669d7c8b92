"""oauth4webapi, which pushes, proves itself by key, shows its key by DPoP, and checks every answer to the letter."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.openid import registered
from tests.conformance.person import Person
from tests.conformance.script import Refused, Script
from tests.fixtures.javascript import Node
from tests.fixtures.sandbox import Demo

REDIRECT = "https://oauth4webapi.example.test/callback"
FOLDER = Path(__file__).parents[1] / "javascript"


@pytest.fixture(params=["ES256", "PS256", "signed"])
def party(
    request: pytest.FixtureRequest, demo: Demo, node: Node, javascript: Callable[[Path], Path], tmp_path: Path
) -> Iterator[Script]:
    """A running client in the profile fapi-2, by each algorithm in turn, and once with a signed request."""
    demo.reset()
    signed = request.param == "signed"
    algorithm = "ES256" if signed else request.param
    settings = {"issuer": demo.base_url, "redirect_uri": REDIRECT, "algorithm": algorithm, "signed": signed}
    with Script.start(node, javascript(FOLDER) / "fapi.js", settings, tmp_path) as script:
        client: dict[str, Any] = {
            "redirect_uris": [REDIRECT],
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": {"keys": [script.ask(do="jwk")]},
            "id_token_signed_response_alg": algorithm,
            "authorization_signed_response_alg": algorithm,
            "require_signed_request_object": signed,
            "profile": "fapi-2",
            "services": "UWV",
        }
        with registered(demo, {"oauth4webapi": client}) as made:
            script.ask(do="register", client_id=made["oauth4webapi"].client_id)
            yield script


def ended(demo: Demo, party: Script, username: str, **parameters: str) -> str:
    """Where a login of a persona ends."""
    found = Person(demo, username).visit(party.ask(do="begin", parameters=parameters)["url"])
    assert isinstance(found, str), found
    return found


def test_anna_logs_in(demo: Demo, party: Script) -> None:
    """Pushed, proven and bound: the client takes the tokens and reads person, company and level."""
    done = party.ask(do="end", url=ended(demo, party, "anna"), jarm=False)
    claims = done["claims"]
    assert claims["acr"] == "urn:etoegang:core:assurance-class:loa3"
    assert claims["represents"]["sub"].isdecimal()
    assert claims["sub"] == done["userinfo"]["sub"]
    assert done["token_type"].lower() == "dpop"


def test_a_signed_answer_is_verified(demo: Demo, party: Script) -> None:
    """By JARM the client verifies the answer itself; a refusal arrives the same way."""
    url = ended(demo, party, "anna", response_mode="query.jwt")
    assert "code=" not in url
    assert party.ask(do="end", url=url, jarm=True)["claims"]["sub"]
    with pytest.raises(Refused, match="unmet_authentication_requirements"):
        party.ask(do="end", url=ended(demo, party, "emre", response_mode="query.jwt"), jarm=True)


def test_a_fault_is_told_when_it_is_pushed(party: Script) -> None:
    """A request that would be refused never reaches a person."""
    with pytest.raises(Refused, match="unsupported_response_type"):
        party.ask(do="begin", parameters={"response_type": "code id_token"})


def test_an_answer_of_someone_else_is_refused(demo: Demo, party: Script) -> None:
    """An answer with another state or issuer is not taken by the client, and a code counts once."""
    url = ended(demo, party, "anna")
    with pytest.raises(Refused):
        party.ask(do="end", url=url.replace("state=", "state=x"), jarm=False)
    with pytest.raises(Refused):
        party.ask(do="end", url=url.replace("iss=http", "iss=https"), jarm=False)
    party.ask(do="end", url=url, jarm=False)
    with pytest.raises(Refused, match="invalid_grant"):
        party.ask(do="end", url=url, jarm=False)
