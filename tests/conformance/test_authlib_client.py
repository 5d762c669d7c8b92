"""Authlib's client in a Flask portal, which discovers us and checks state, signature, issuer, audience and nonce."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from authlib.integrations.base_client.errors import MismatchingStateError, OAuthError
from authlib.integrations.flask_client import OAuth
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from flask import Flask, jsonify
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from tests.conformance.metadata import register_client
from tests.conformance.person import Person
from tests.fixtures.sandbox import Demo

CALLBACK = "https://authlib.example.test/callback"
KEY = ECKey.generate_key("P-256", {"kid": "portal", "use": "sig"})
Change = Callable[[dict[str, Any]], None]


@dataclass
class Portal:
    """A portal with one login and its browser; ``change`` alters what the token endpoint said before it is checked."""

    app: Flask
    idp: Any
    asked: dict[str, str]
    change: Change | None = None

    def log_in(self, demo: Demo, username: str) -> str:
        """Send a persona out and back; answers the address at which they come back."""
        self.browser = self.app.test_client()
        found = Person(demo, username).visit(self.browser.get("/login").location)
        assert isinstance(found, str), found
        return found

    def receive(self, address: str) -> dict[str, Any]:
        """What the portal makes of the address."""
        return dict(self.browser.get(address.removeprefix("https://authlib.example.test")).get_json())


@contextmanager
def portal(demo: Demo, folder: Path, services: str = "UWV", **members: Any) -> Iterator[Portal]:
    """A portal that is registered for as long as the block runs."""
    client = {"client_name": "Authlib", "redirect_uris": [CALLBACK]} | members
    with register_client(demo, client, folder, services) as facts:
        app = Flask("portal")
        app.config.update(SECRET_KEY="portal", TESTING=True)
        kept: list[Portal] = []
        method = members.get("token_endpoint_auth_method", "client_secret_basic")
        oauth = OAuth(app)
        oauth.register(
            "idp",
            client_id=facts["client_id"],
            client_secret=KEY if method == "private_key_jwt" else facts["client_secret"],
            server_metadata_url=demo.facts["oidc_issuer"] + "/.well-known/openid-configuration",
            client_kwargs={
                "scope": "openid eherkenning",
                "code_challenge_method": "S256",
                "token_endpoint_auth_method": _proof(method),
            },
            compliance_fix=lambda session: session.register_compliance_hook(
                "access_token_response", lambda answer: _changed(answer, kept[0].change)
            ),
        )
        kept.append(Portal(app, oauth.idp, {}))
        app.add_url_rule("/login", "login", view_func=lambda: oauth.idp.authorize_redirect(CALLBACK, **kept[0].asked))
        app.add_url_rule("/callback", "callback", view_func=lambda: _told(oauth.idp))
        yield kept[0]


def _proof(method: str) -> Any:
    # Authlib lets an assertion live for an hour unless it is told otherwise; we take five minutes (SEC-22).
    claims = {"exp": int(time.time()) + 240}
    return PrivateKeyJWT(claims=claims, alg="ES256") if method == "private_key_jwt" else method


def _changed(answer: requests.Response, change: Change | None) -> requests.Response:
    if change is not None:
        told = answer.json()
        change(told)
        answer._content = json.dumps(told).encode()
    return answer


def _told(idp: Any) -> Any:
    token = idp.authorize_access_token()
    return jsonify(id_token=dict(token["userinfo"]), userinfo=dict(idp.userinfo(token=token)))


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"token_endpoint_auth_method": "client_secret_post"},
        {"token_endpoint_auth_method": "none"},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [KEY.as_dict(private=False)]}},
        {"id_token_signed_response_alg": "PS256"},
        {"id_token_signed_response_alg": "ES256"},
    ],
    ids=["basic", "post", "public", "key", "PS256", "ES256"],
)
def test_anna_logs_in(demo: Demo, tmp_path: Path, members: dict[str, Any]) -> None:
    """By every client authentication and algorithm the client takes the tokens and reads person, company and level."""
    with portal(demo, tmp_path, **members) as client:
        told = client.receive(client.log_in(demo, "anna"))
    claims = told["id_token"]
    assert claims["acr"] == "urn:etoegang:core:assurance-class:loa3"
    assert claims["urn:etoegang:core:LegalSubjectID"] == claims["represents"]["sub"]
    assert claims["sub"] == told["userinfo"]["sub"]


@pytest.fixture(scope="module")
def client(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """One portal for the tests that only differ in what comes back."""
    with portal(demo, tmp_path_factory.mktemp("portal")) as made:
        yield made


@pytest.fixture(autouse=True)
def fresh(demo: Demo) -> None:
    """Every test begins in the world as it was seeded, so that no code was used before."""
    demo.reset()


def test_a_refusal_is_an_error_to_the_client(demo: Demo, client: Portal) -> None:
    """A level that is too low reaches the client as the error of the specification (RUL-33)."""
    with pytest.raises(OAuthError) as caught:
        client.receive(client.log_in(demo, "emre"))
    assert caught.value.error == "unmet_authentication_requirements"


def test_the_client_finds_an_answer_with_another_state(demo: Demo, client: Portal) -> None:
    """An answer whose state was changed on the way is refused by the client."""
    address = client.log_in(demo, "anna")
    with pytest.raises(MismatchingStateError):
        client.receive(address.replace("state=", "state=x"))


def test_the_client_finds_a_changed_id_token(demo: Demo, client: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """An ID token whose claims were changed is refused by the client."""
    address = client.log_in(demo, "anna")
    monkeypatch.setattr(client, "change", _other_payload)
    with pytest.raises((JoseError, ValueError)):
        client.receive(address)


def _other_payload(told: dict[str, Any]) -> None:
    header, payload, signature = told["id_token"].split(".")
    told["id_token"] = f"{header}.{payload[:-6]}AAAAAA.{signature}"


def test_a_level_is_told_in_the_words_asked(demo: Demo, client: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A European level asked by parameter is told in that vocabulary."""
    monkeypatch.setattr(client, "asked", {"acr_values": "http://eidas.europa.eu/LoA/substantial"})
    told = client.receive(client.log_in(demo, "anna"))
    assert told["id_token"]["acr"] == "http://eidas.europa.eu/LoA/substantial"
