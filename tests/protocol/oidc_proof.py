"""A client that proves possession of a key: DPoP proofs made with joserfc, and requests that carry them."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from idp.effects.entropy import SeededEntropy
from idp.protocols.message import Document, HttpMessage
from idp.protocols.oidc import introspect, revocation, userinfo
from tests.protocol.oidc_kit import BASE, CALLBACK, FORM, VERIFIER, Provider, RelyingParty, client_key

TOKEN = BASE + "/oidc/token"
USERINFO = BASE + "/oidc/userinfo"


@dataclass
class Prover:
    """The holder of a key."""

    provider: Provider
    kind: str = "ec"
    algorithm: str = "ES256"
    marks: SeededEntropy = field(default_factory=lambda: SeededEntropy("prover"))

    @property
    def key(self) -> ECKey | RSAKey:
        """The key whose possession is proven."""
        return client_key(self.kind)

    @property
    def thumbprint(self) -> str:
        """How tokens name the key."""
        return self.key.thumbprint()

    def claims(self, htu: str = TOKEN, htm: str = "POST", token: str = "") -> dict[str, Any]:
        """The claims of a good proof."""
        made = {
            "jti": self.marks.bytes(12).hex(),
            "htm": htm,
            "htu": htu,
            "iat": int(self.provider.clock.now().timestamp()),
        }
        return made | ({"ath": hash_of(token)} if token else {})

    def header(self) -> dict[str, Any]:
        """The header of a good proof."""
        public = self.key.as_dict(private=False)
        return {"typ": "dpop+jwt", "alg": self.algorithm, "jwk": {n: v for n, v in public.items() if n in _NUMBERS}}

    def signed(self, claims: Mapping[str, Any], header: Mapping[str, Any] | None = None) -> str:
        """A proof as written; a header member of None is left out."""
        joined = {n: v for n, v in {**self.header(), **(header or {})}.items() if v is not None}
        registry = jws.JWSRegistry(algorithms=[self.algorithm], strict_check_header=False)
        # What a foreign header says must not keep our own library from signing it.
        data = b".".join(encoded(json.dumps(part).encode()) for part in (joined, dict(claims)))
        signature = registry.get_alg(self.algorithm).sign(data, self.key)
        return b".".join((data, encoded(signature))).decode()

    def proof(self, htu: str = TOKEN, htm: str = "POST", token: str = "", **changes: Any) -> str:
        """A good proof, or one with other claims; a change to None leaves a claim out."""
        claims = {**self.claims(htu, htm, token), **changes}
        return self.signed({name: value for name, value in claims.items() if value is not None})

    def userinfo(self, token: str, proof: str | None = None, scheme: str = "DPoP", **headers: str) -> Document:
        """Ask userinfo with a proof."""
        proof = self.proof(USERINFO, "GET", token) if proof is None else proof
        told = {"authorization": f"{scheme} {token}", **({"dpop": proof} if proof else {}), **headers}
        return userinfo(
            self.provider.office, HttpMessage("GET", "/oidc/userinfo", headers=told), self.provider.clock.now()
        )


_NUMBERS = ("kty", "n", "e", "crv", "x", "y")


def encoded(octets: bytes) -> bytes:
    """base64url without padding."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=")


def hash_of(token: str) -> str:
    """The hash of an access token as a proof names it."""
    return encoded(hashlib.sha256(token.encode()).digest()).decode()


def redeem(party: RelyingParty, code: str, proof: str, **changes: str) -> Document:
    """Exchange a code with a proof."""
    return party.post(code_form(party, code) | changes, {**party.basic(), "dpop": proof})


def refresh(party: RelyingParty, token: str, proof: str = "", **changes: str) -> Document:
    """Exchange a refresh token with a proof, or without one."""
    form = {"grant_type": "refresh_token", "refresh_token": token}
    if not party.secret:
        form["client_id"] = party.client_id
    return party.post(form | changes, {**party.basic(), **({"dpop": proof} if proof else {})})


def code_form(party: RelyingParty, code: str) -> dict[str, str]:
    """The form that exchanges a code."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    return form if party.secret else form | {"client_id": party.client_id}


def call(party: RelyingParty, name: str, form: Mapping[str, str], **headers: str) -> Document:
    """Call ``introspect`` or ``revoke`` as a client that has a secret."""
    own = {} if party.secret else {"client_id": party.client_id}
    message = HttpMessage(
        "POST", f"/oidc/{name}", b"", urlencode({**own, **form}).encode(), FORM, {**party.basic(), **headers}
    )
    endpoint = {"introspect": introspect, "revoke": revocation}[name]
    return endpoint(party.provider.office, message, party.provider.clock.now())
