"""Authlib's client, with joserfc verifying the ID token against our published keys."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import ECKey, KeySet

from tests.conformance.metadata import register_client
from tests.conformance.person import Person
from tests.fixtures.sandbox import Demo

REDIRECT = "https://authlib.example.test/callback"
VERIFIER = "authlib-code-verifier-0123456789-abcdefghijkl"
METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt", "none")


class Party:
    """A registered client and its session at our endpoints."""

    def __init__(self, demo: Demo, session: OAuth2Session) -> None:
        self.demo, self.session = demo, session
        self.discovery: dict[str, Any] = requests.get(demo.url("/.well-known/openid-configuration"), timeout=30).json()

    def log_in(self, username: str, **parameters: str) -> str:
        """Where a login of a persona ends."""
        url, _ = self.session.create_authorization_url(
            self.discovery["authorization_endpoint"],
            code_verifier=VERIFIER,
            nonce="n-0123456789abcdefghij",
            **parameters,
        )
        ended = Person(self.demo, username).visit(url)
        assert isinstance(ended, str), ended
        return ended

    def redeem(self, answer: str) -> dict[str, Any]:
        """Tokens for the code in an answer."""
        found: dict[str, Any] = self.session.fetch_token(
            self.discovery["token_endpoint"], authorization_response=answer, code_verifier=VERIFIER
        )
        return found

    def claims(self, token: str) -> dict[str, Any]:
        """The verified claims of an ID token."""
        keys = KeySet.import_key_set(requests.get(self.discovery["jwks_uri"], timeout=30).json())
        read = jwt.decode(token, keys, algorithms=["RS256", "ES256", "PS256"])
        rules = jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": self.demo.base_url},
            aud={"essential": True, "value": self.session.client_id},
        )
        rules.validate(read.claims)
        return dict(read.claims)


@pytest.fixture(params=METHODS)
def party(request: pytest.FixtureRequest, demo: Demo, tmp_path: Path) -> Iterator[Party]:
    """A client of UWV, by each method of client authentication in turn."""
    demo.reset()
    key = ECKey.generate_key("P-256", {"kid": "authlib", "alg": "ES256", "use": "sig"})
    client: dict[str, Any] = {
        "client_name": "authlib",
        "redirect_uris": [REDIRECT],
        "token_endpoint_auth_method": request.param,
        "grant_types": ["authorization_code", "refresh_token"],
    }
    if request.param == "private_key_jwt":
        client |= {"jwks": {"keys": [key.as_dict(private=False)]}, "token_endpoint_auth_signing_alg": "ES256"}
    with register_client(demo, client, tmp_path, "UWV") as facts:
        session = OAuth2Session(
            facts["client_id"],
            facts["client_secret"]
            or (key.as_pem(private=True).decode() if request.param == "private_key_jwt" else None),
            scope="openid eherkenning offline_access",
            redirect_uri=REDIRECT,
            token_endpoint_auth_method=request.param,
            code_challenge_method="S256",
        )
        if request.param == "private_key_jwt":
            method = PrivateKeyJWT(demo.url("/oidc/token"), alg="ES256", headers={"kid": "authlib"})
            session.register_client_auth_method(method)
        yield Party(demo, session)


def test_anna_logs_in_and_her_tokens_rotate(party: Party) -> None:
    """Code, ID token, userinfo and a refresh; an old refresh token is worth nothing (RUL-30)."""
    tokens = party.redeem(party.log_in("anna", prompt="consent"))
    claims = party.claims(tokens["id_token"])
    assert claims["nonce"] == "n-0123456789abcdefghij"
    assert claims["represents"]["sub"].isdecimal()
    told = party.session.get(party.discovery["userinfo_endpoint"]).json()
    assert told["sub"] == claims["sub"]
    first = tokens["refresh_token"]
    renewed = party.session.refresh_token(party.discovery["token_endpoint"], refresh_token=first)
    assert renewed["refresh_token"] != first
    with pytest.raises(OAuth2Error, match="invalid_grant"):
        party.session.refresh_token(party.discovery["token_endpoint"], refresh_token=first)


def test_a_tampered_id_token_is_refused(party: Party) -> None:
    """One changed character in the payload and no published key fits."""
    token = party.redeem(party.log_in("anna"))["id_token"]
    head, body, signature = token.split(".")
    forged = body[:-2] + ("A" if body[-2] != "A" else "B") + body[-1]
    with pytest.raises(BadSignatureError):
        party.claims(f"{head}.{forged}.{signature}")


def test_cancelling_and_refusals_are_errors(party: Party) -> None:
    """A refusal for the mandate is access_denied and never tells why."""
    answer = party.log_in("hana")
    assert "error=access_denied" in answer
    assert "MANDATE" not in answer
