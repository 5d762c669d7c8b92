"""The driver's own OpenID Connect client: code flow with PKCE, and the tokens verified."""

import hashlib
import json
from base64 import b64encode, urlsafe_b64encode
from dataclasses import dataclass
from secrets import token_urlsafe
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet

from tests.bench.http import Browser, FlowFailed

CALLBACK = "https://bench.example.test/callback"


@dataclass(frozen=True, slots=True)
class Authorization:
    """A prepared authorization request and what belongs to it."""

    path: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class OidcParty:
    """A registered confidential client that proves itself with its secret by Basic."""

    client_id: str
    client_secret: str
    algorithm: str

    def prepared(self) -> Authorization:
        """An authorization request with fresh state, nonce and verifier."""
        state, nonce, verifier = token_urlsafe(16), token_urlsafe(16), token_urlsafe(43)
        challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": CALLBACK,
            "scope": "openid",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return Authorization(f"/oidc/authorize?{urlencode(asked)}", state, nonce, verifier)

    def exchange(self, browser: Browser, location: str, asked: Authorization) -> bytes:
        """From the redirect with the code to the claims of userinfo; answers the ID token."""
        answer = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        if not location.startswith(CALLBACK) or answer.get("state") != asked.state or "code" not in answer:
            raise FlowFailed(f"no code: {location[:200]}")
        form = {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": CALLBACK,
            "code_verifier": asked.verifier,
        }
        tokens = json.loads(
            browser.post("/oidc/token", urlencode(form).encode(), {"Authorization": self._basic()}).expect(200).body
        )
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        claims = json.loads(browser.get("/oidc/userinfo", bearer).expect(200).body)
        if not claims.get("sub"):
            raise FlowFailed("userinfo without a subject")
        return str(tokens["id_token"]).encode()

    def verify(self, id_token: bytes, keys: bytes, issuer: str, asked: Authorization) -> None:
        """Check the signature, the algorithm and the bindings of an ID token; raises when they do not hold."""
        token = jwt.decode(id_token.decode(), KeySet.import_key_set(json.loads(keys)), algorithms=[self.algorithm])
        audience = token.claims["aud"]
        bound = (token.claims["iss"], token.claims["nonce"], token.header["alg"])
        if bound != (issuer, asked.nonce, self.algorithm) or self.client_id not in (audience, *audience):
            raise FlowFailed(f"an ID token for something else: {token.claims}")

    def _basic(self) -> str:
        pair = f"{quote(self.client_id, safe='')}:{quote(self.client_secret, safe='')}"
        return f"Basic {b64encode(pair.encode()).decode()}"


def registration(algorithm: str) -> str:
    """RFC 7591 metadata of the client."""
    return json.dumps(
        {
            "client_name": f"Bench {algorithm}",
            "redirect_uris": [CALLBACK],
            "grant_types": ["authorization_code"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "client_secret_basic",
            "id_token_signed_response_alg": algorithm,
        }
    )
