"""OpenID Connect clients of one running sandbox, registered together, that talk to it over real HTTP."""

import base64
import json
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urljoin, urlsplit

import requests
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from joserfc.jws import JWSRegistry

from idp.office import open_office
from idp.protocols.oidc.client.registration import described
from idp.services.relying_parties import parties
from idp.settings import load
from tests.conformance.person import Person, Posted
from tests.fixtures.sandbox import Demo
from tests.protocol.oidc_kit import ASSERTION_TYPE, VERIFIER, challenge_of

CALLBACK = "https://client.example.test/callback"
EC = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"})
RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
KEYS = {"keys": [EC.as_dict(private=False), RSA.as_dict(private=False)]}
BY_KEY: dict[str, Any] = {"token_endpoint_auth_method": "private_key_jwt", "jwks": KEYS}
FAPI: dict[str, Any] = {
    **BY_KEY,
    "token_endpoint_auth_signing_alg": "ES256",
    "id_token_signed_response_alg": "ES256",
    "profile": "fapi-2",
}


@dataclass
class OpenIdClient:
    """A registered client and what it knows. Everything it sends is a good request with some changes."""

    demo: Demo
    client_id: str
    secret: str
    members: Mapping[str, Any]
    profile: str = "standard"
    seconds: int = 60
    last: dict[str, str] = field(default_factory=dict)
    nonce: str = ""

    @property
    def redirect_uri(self) -> str:
        """The first address it registered."""
        return str(self.members["redirect_uris"][0])

    def request(self, **changes: str | None) -> dict[str, str]:
        """The parameters of a request; a change to None leaves one out."""
        given: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": "openid",
            "state": secrets.token_urlsafe(24),
            "nonce": secrets.token_urlsafe(24),
            "code_challenge": challenge_of(VERIFIER),
            "code_challenge_method": "S256",
        }
        self.last = {name: value for name, value in (given | changes).items() if value is not None}
        return self.last

    def address(self, parameters: Mapping[str, str]) -> str:
        """Where a browser is sent with these parameters."""
        return self.demo.url("/oidc/authorize?" + urlencode(parameters))

    def go(self, browser: requests.Session | None = None, **changes: str | None) -> requests.Response:
        """Our first answer to a browser that brings a request, not followed."""
        where = self.address(self.request(**changes))
        return (browser or requests.Session()).get(where, allow_redirects=False, timeout=self.seconds)

    def visit(self, person: Person, **changes: str | None) -> dict[str, str]:
        """What the client hears when a person has gone through the whole login."""
        return heard(person.visit(self.address(self.request(**changes))))

    def code(self, person: Person, **changes: str | None) -> str:
        """A fresh code."""
        told = self.visit(person, **changes)
        assert "code" in told, told
        return told["code"]

    def proof(self, **claims: Any) -> dict[str, str]:
        """What proves this client in a form, by its registered method."""
        method = self.members.get("token_endpoint_auth_method", "client_secret_basic")
        if method == "private_key_jwt":
            return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self.assertion(**claims)}
        if method == "client_secret_post":
            return {"client_id": self.client_id, "client_secret": self.secret}
        return {"client_id": self.client_id} if method == "none" else {}

    def headers(self) -> dict[str, str]:
        """The Authorization header of a client that proves itself by Basic."""
        if self.members.get("token_endpoint_auth_method", "client_secret_basic") != "client_secret_basic":
            return {}
        pair = f"{quote(self.client_id, safe='')}:{quote(self.secret, safe='')}"
        return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}

    def assertion(self, header: Mapping[str, Any] | None = None, **changes: Any) -> str:
        """A client assertion; a change to None leaves a claim out."""
        now = int(time.time())
        claims = {"iss": self.client_id, "sub": self.client_id, "aud": self.demo.base_url, "jti": secrets.token_hex(16)}
        return self.signed(claims | {"iat": now, "exp": now + 60}, header or {}, changes)

    def request_object(self, header: Mapping[str, Any] | None = None, **changes: Any) -> str:
        """A signed request; a change to None leaves a claim out."""
        now = int(time.time())
        about = {"iss": self.client_id, "aud": self.demo.base_url, "exp": now + 60, "nbf": now}
        typed = {"typ": "oauth-authz-req+jwt", **(header or {})}
        return self.signed(self.request() | about, typed, changes)

    def signed(self, claims: Mapping[str, Any], header: Mapping[str, Any], changes: Mapping[str, Any]) -> str:
        """A token by this client, by ES256 unless the header says otherwise."""
        made = {"alg": "ES256", **header}
        key = EC if made["alg"] == "ES256" else RSA
        registry = JWSRegistry(algorithms=[made["alg"]], strict_check_header=False)
        told = {name: value for name, value in {**claims, **changes}.items() if value is not None}
        return jwt.encode({"kid": key.kid, **made}, told, key, registry=registry)

    def post(self, path: str, form: Mapping[str, str], **headers: str) -> requests.Response:
        """A call of the back channel, with the proof of this client unless the form brings one."""
        proof = {} if {"client_assertion", "client_secret"} & set(form) else self.proof()
        sent = self.headers() | headers
        return requests.post(self.demo.url(path), data={**proof, **form}, headers=sent, timeout=self.seconds)

    def dpop(self, path: str = "/oidc/token", method: str = "POST", key: ECKey = EC, **changes: Any) -> str:
        """A proof of possession for one request, its claims changed."""
        told = {"jti": secrets.token_hex(12), "htm": method, "htu": self.demo.url(path), "iat": int(time.time())}
        public = {name: key.as_dict(private=False)[name] for name in ("kty", "crv", "x", "y")}
        header = {"alg": "ES256", "typ": "dpop+jwt", "jwk": public}
        return jwt.encode(header, {**told, **changes}, key)

    def prove_and_post(
        self, path: str, form: Mapping[str, str], key: ECKey = EC, claims: Mapping[str, Any] | None = None
    ) -> requests.Response:
        """A call with a proof of possession, made anew with the nonce that we are asked to use."""
        for _ in range(2):
            nonce = {"nonce": self.nonce} if self.nonce else {}
            answer = self.post(path, form, DPoP=self.dpop(path, key=key, **nonce, **(claims or {})))
            if answer.status_code != 400 or answer.json()["error"] != "use_dpop_nonce":
                break
            self.nonce = answer.headers["DPoP-Nonce"]
        return answer

    def redeem(
        self, code: str, /, *, key: ECKey = EC, proof: Mapping[str, Any] | None = None, **changes: Any
    ) -> requests.Response:
        """Exchange a code; in FAPI with a proof of possession of a key, its claims changed by ``proof``."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": VERIFIER,
            **changes,
        }
        sent = {name: value for name, value in form.items() if value is not None}
        if self.profile == "fapi-2":
            return self.prove_and_post("/oidc/token", sent, key, proof)
        return self.post("/oidc/token", sent)

    def tokens(self, person: Person, **changes: str | None) -> dict[str, Any]:
        """The whole code flow."""
        answer = self.redeem(self.code(person, **changes))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def push(self, **changes: str | None) -> requests.Response:
        """Push a request."""
        return self.post("/oidc/par", self.request(**changes))

    def handle(self, **changes: str | None) -> str:
        """The address that stands for a pushed request."""
        answer = self.push(**changes)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["request_uri"])

    def visit_handle(self, person: Person, handle: str, **around: str) -> dict[str, str]:
        """What the client hears of a login that began with a pushed request."""
        return heard(person.visit(self.address({"client_id": self.client_id, "request_uri": handle, **around})))

    def claims(self, token: str) -> dict[str, Any]:
        """The claims of a token of ours, its signature checked by the published keys."""
        keys = KeySet.import_key_set(requests.get(self.demo.url("/oidc/jwks"), timeout=self.seconds).json())
        return dict(jwt.decode(token, keys, algorithms=["RS256", "PS256", "ES256"]).claims)

    def userinfo(self, access: str, **headers: str) -> requests.Response:
        """What an access token stands for."""
        sent = {"Authorization": f"Bearer {access}"} | headers
        return requests.get(self.demo.url("/oidc/userinfo"), headers=sent, timeout=self.seconds)


def heard(ended: Posted | str) -> dict[str, str]:
    """What an answer tells, by redirect or by form; each parameter once."""
    if isinstance(ended, Posted):
        return ended.fields
    return told_in(ended)


def told_in(address: str) -> dict[str, str]:
    """The parameters of an address, each once."""
    told = parse_qs(urlsplit(address).query, keep_blank_values=True)
    assert all(len(values) == 1 for values in told.values()), told
    return {name: values[0] for name, values in told.items()}


def asks(response: requests.Response, demo: Demo) -> bool:
    """Whether a browser is sent to a page of ours that asks the person something."""
    where = urljoin(demo.base_url, response.headers.get("Location", ""))
    return response.status_code == 303 and where.startswith(demo.url("/login/"))


def own_page(response: requests.Response) -> str:
    """The code of the page that tells a person what is wrong, where no client may hear of it; empty for none."""
    if response.status_code != 400 or "Location" in response.headers:
        return ""
    return response.text.partition('data-error="')[2].partition('"')[0]


@contextmanager
def registered(demo: Demo, clients: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, OpenIdClient]]:
    """Clients by name while the block runs; ``services`` and ``profile`` beside the metadata are the operator's."""
    office = open_office(load(demo.folder / "config.toml"))
    made: dict[str, OpenIdClient] = {}
    ids = []
    with office.work("operator") as work:
        for name, given in clients.items():
            members = {"client_name": name, "redirect_uris": [CALLBACK]} | dict(given)
            services = str(members.pop("services", "OLO"))
            wishes = {key: str(members.pop(key)) for key in ("profile", "require_pkce") if key in members}
            profile = {"profile": wishes["profile"]} if "profile" in wishes else {}
            added = parties.add(
                work, described(json.dumps(members).encode(), tuple(services.split(",")), profile, None)
            )
            if wishes:
                parties.configure(work, added.party.id, wishes)
            ids.append(added.party.id)
            dialect = wishes.get("profile", "standard")
            made[name] = OpenIdClient(demo, added.party.identity, added.secret, members, dialect)
    try:
        yield made
    finally:
        with office.work("operator") as work:
            for one in ids:
                parties.remove(work, one)
        office.engine.dispose()
        office.directory._engine.dispose()
