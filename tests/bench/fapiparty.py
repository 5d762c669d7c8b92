"""A client of FAPI 2.0: pushed requests, assertions by a key, and tokens bound to one by DPoP."""

import hashlib
import json
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from secrets import token_urlsafe
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey

from tests.bench.http import Browser, FlowFailed, Reply
from tests.bench.oidcparty import CALLBACK, Authorization

PROFILE = "fapi-2"
_PUBLIC = ("kty", "crv", "x", "y")
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(slots=True)
class FapiParty:
    """Its key signs assertions and proofs alike; ``nonce`` is the last one that the server gave for proofs."""

    client_id: str = ""
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "bench", "use": "sig"}))
    nonce: str = ""

    def registration(self) -> str:
        """RFC 7591 metadata of the client."""
        return json.dumps(
            {
                "client_name": "Bench FAPI 2.0",
                "redirect_uris": [CALLBACK],
                "grant_types": ["authorization_code"],
                "response_types": ["code"],
                "token_endpoint_auth_method": "private_key_jwt",
                "token_endpoint_auth_signing_alg": "ES256",
                "id_token_signed_response_alg": "ES256",
                "jwks": {"keys": [self.key.as_dict(private=False)]},
            }
        )

    def prepared(self) -> Authorization:
        """State, nonce and verifier of a request; the request itself is pushed within the flow."""
        return Authorization("", token_urlsafe(24), token_urlsafe(24), token_urlsafe(43))

    def exchange(self, browser: Browser, asked: Authorization) -> bytes:
        """Push, visit, redeem and ask userinfo; answers the ID token. Raises ``FlowFailed``."""
        challenge = urlsafe_b64encode(hashlib.sha256(asked.verifier.encode()).digest()).decode().rstrip("=")
        request = {
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": "openid",
            "state": asked.state,
            "nonce": asked.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        pushed = browser.post("/oidc/par", self._form(browser, request)).expect(201)
        visit = {"client_id": self.client_id, "request_uri": json.loads(pushed.body)["request_uri"]}
        location = browser.get(f"/oidc/authorize?{urlencode(visit)}").expect(303).location
        answer = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        if not location.startswith(CALLBACK) or answer.get("state") != asked.state or "code" not in answer:
            raise FlowFailed(f"no code: {location[:200]}")
        form = {"grant_type": "authorization_code", "code": answer["code"], "redirect_uri": CALLBACK}
        tokens = json.loads(self._redeem(browser, form | {"code_verifier": asked.verifier}).body)
        access = str(tokens["access_token"])
        bound = {"Authorization": f"DPoP {access}", "DPoP": self._proof(browser, "GET", "/oidc/userinfo", access)}
        if not json.loads(browser.get("/oidc/userinfo", bound).expect(200).body).get("sub"):
            raise FlowFailed("userinfo without a subject")
        return str(tokens["id_token"]).encode()

    def _redeem(self, browser: Browser, form: dict[str, str]) -> Reply:
        """The token endpoint, a second time where it asks a nonce first (RFC 9449 section 8)."""
        for _ in range(2):
            proof = {"DPoP": self._proof(browser, "POST", "/oidc/token")}
            reply = browser.post("/oidc/token", self._form(browser, form), proof)
            given = {name.lower(): value for name, value in reply.headers.items()}.get("dpop-nonce", "")
            self.nonce = given or self.nonce
            if reply.status == 200:
                return reply
        return reply.expect(200)

    def _form(self, browser: Browser, parameters: dict[str, str]) -> bytes:
        now = int(time.time())
        claims = {"iss": self.client_id, "sub": self.client_id, "aud": browser.base_url, "jti": token_urlsafe(16)}
        assertion = jwt.encode({"alg": "ES256", "kid": "bench"}, claims | {"iat": now, "exp": now + 60}, self.key)
        proven = {"client_id": self.client_id, "client_assertion_type": _ASSERTION, "client_assertion": assertion}
        return urlencode(parameters | proven).encode()

    def _proof(self, browser: Browser, method: str, path: str, access: str = "") -> str:
        claims = {"htm": method, "htu": browser.base_url + path, "iat": int(time.time()), "jti": token_urlsafe(16)}
        if self.nonce:
            claims["nonce"] = self.nonce
        if access:
            claims["ath"] = urlsafe_b64encode(hashlib.sha256(access.encode()).digest()).decode().rstrip("=")
        public = {name: value for name, value in self.key.as_dict(private=False).items() if name in _PUBLIC}
        return jwt.encode({"typ": "dpop+jwt", "alg": "ES256", "jwk": public}, claims, self.key)
