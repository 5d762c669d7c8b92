"""A demo portal's side of OpenID Connect: code flow with PKCE, and tokens that are verified before they are read."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey

from idp.lab.portals import Portal
from idp.lab.received import Check, Disbelieved, Ending, Received, Scrutiny

CANCELLED: Final = "Authentication cancelled"
_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_FORM: Final = "application/x-www-form-urlencoded"
_PERSONAL: Final = ("given_name", "family_name", "email")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to the provider's own endpoints."""

    method: str
    address: str
    headers: Mapping[str, str]
    body: bytes = b""


# Sends a request and gives status and body.
Call = Callable[[Asked], tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class Provider:
    """The identity provider as its discovery document and JWKS describe it."""

    discovery: Mapping[str, Any]
    jwks: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Flow:
    """What a portal remembers between sending someone away and their return; ``proof`` is for a client assertion."""

    state: str
    nonce: str
    verifier: str
    proof: str


def read_provider(documents: Mapping[str, bytes]) -> Provider:
    """The provider that its published documents describe, by their path."""
    discovery = json.loads(documents["/.well-known/openid-configuration"])
    return Provider(discovery, json.loads(documents[urlsplit(discovery["jwks_uri"]).path]))


def start(portal: Portal, provider: Provider, flow: Flow, personal: bool) -> str:
    """The address of an authorization request."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(flow.verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": portal.client_id,
        "redirect_uri": portal.callback,
        "scope": "openid eherkenning",
        "state": flow.state,
        "nonce": flow.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    if personal:
        query["claims"] = json.dumps({"userinfo": dict.fromkeys(_PERSONAL)})
    return f"{provider.discovery['authorization_endpoint']}?{urlencode(query)}"


def receive(
    portal: Portal, provider: Provider, flow: Flow, given: Mapping[str, str], call: Call, *, now: datetime
) -> Received:
    """Exchange the code that came back, verify the ID token, ask userinfo (OpenID Connect Core 3.1.3)."""
    scrutiny = Scrutiny()
    try:
        return _receive(scrutiny, _Expected(portal, provider, flow, call, now), given)
    except Disbelieved:
        return scrutiny.disbelieved()


@dataclass(frozen=True, slots=True)
class _Expected:
    portal: Portal
    provider: Provider
    flow: Flow
    call: Call
    now: datetime

    @property
    def issuer(self) -> str:
        return str(self.provider.discovery["issuer"])


def _receive(scrutiny: Scrutiny, expected: _Expected, given: Mapping[str, str]) -> Received:
    scrutiny.raw.append(("callback", _shown(dict(given))))
    state = expected.flow.state.encode()
    # A browser that was not sent away has no state, and an answer without one is not for it.
    scrutiny.need(Check.STATE, bool(state) and hmac.compare_digest(given.get("state", "").encode(), state))
    scrutiny.need(Check.ISSUER, given.get("iss") == expected.issuer)
    if "error" in given:
        description = given.get("error_description", "")
        ending = Ending.CANCELLED if description == CANCELLED else Ending.REFUSED
        return scrutiny.received(ending, f"{given['error']}: {description}")
    tokens = _exchange(scrutiny, expected, given.get("code", ""))
    told = _id_token(scrutiny, expected, str(tokens.get("id_token", "")))
    more = _userinfo(scrutiny, expected, str(tokens.get("access_token", "")))
    scrutiny.need(Check.SUBJECT, more.get("sub") == told.get("sub"))
    values = {**told, **{name: value for name, value in more.items() if name not in told}}
    listed = tuple((name, _plain(value)) for name, value in values.items())
    return scrutiny.received(Ending.GRANTED, values=tuple(sorted(listed, key=_rank)))


def _exchange(scrutiny: Scrutiny, expected: _Expected, code: str) -> Mapping[str, Any]:
    portal, flow = expected.portal, expected.flow
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": portal.callback,
        "code_verifier": flow.verifier,
    }
    headers = {"Content-Type": _FORM}
    match portal.plan.authentication:
        case "private_key_jwt":
            form |= {"client_assertion_type": _ASSERTION_TYPE, "client_assertion": _proof(expected)}
        case "client_secret_post":
            form |= {"client_id": portal.client_id, "client_secret": portal.secret}
        case _:
            pair = f"{quote(portal.client_id, safe='')}:{quote(portal.secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    address = str(expected.provider.discovery["token_endpoint"])
    status, body = expected.call(Asked("POST", address, headers, urlencode(form).encode()))
    answer = _object(body)
    scrutiny.raw.append(("token", _shown(answer)))
    scrutiny.need(Check.EXCHANGE, status == 200)
    return answer


def _id_token(scrutiny: Scrutiny, expected: _Expected, token: str) -> Mapping[str, Any]:
    keys = KeySet.import_key_set(expected.provider.jwks)  # type: ignore[arg-type]  # a JWKS as parsed JSON
    try:
        decoded = jwt.decode(token, keys, algorithms=[expected.portal.plan.algorithm])
    except (JoseError, ValueError):
        scrutiny.need(Check.SIGNATURE, False)
        raise
    claims: Mapping[str, Any] = decoded.claims
    scrutiny.raw.append(("id-token", _shown({"header": decoded.header, "claims": claims})))
    scrutiny.need(Check.SIGNATURE, decoded.header.get("alg") == expected.portal.plan.algorithm)
    scrutiny.need(Check.ISSUER, claims.get("iss") == expected.issuer)
    scrutiny.need(Check.AUDIENCE, claims.get("aud") in (expected.portal.client_id, [expected.portal.client_id]))
    scrutiny.need(Check.NONCE, claims.get("nonce") == expected.flow.nonce)
    scrutiny.need(Check.TIME, _current(claims, expected.now))
    return claims


def _userinfo(scrutiny: Scrutiny, expected: _Expected, access_token: str) -> Mapping[str, Any]:
    address = str(expected.provider.discovery["userinfo_endpoint"])
    status, body = expected.call(Asked("GET", address, {"Authorization": f"Bearer {access_token}"}))
    answer = _object(body)
    scrutiny.raw.append(("userinfo", _shown(answer)))
    scrutiny.need(Check.EXCHANGE, status == 200)
    return answer


def _proof(expected: _Expected) -> str:
    """A client assertion, fresh for every exchange (RFC 7523)."""
    portal, now = expected.portal, expected.now
    claims = {
        "iss": portal.client_id,
        "sub": portal.client_id,
        "aud": expected.issuer,
        "jti": expected.flow.proof,
        "iat": int(now.timestamp()),
        "exp": int((now + timedelta(minutes=1)).timestamp()),
    }
    key = RSAKey.import_key(portal.key.private)
    return jwt.encode({"alg": "RS256", "kid": portal.key.kid}, claims, key, algorithms=["RS256"])


def _current(claims: Mapping[str, Any], now: datetime) -> bool:
    begins, ends = claims.get("iat"), claims.get("exp")
    if not isinstance(begins, int) or not isinstance(ends, int):
        return False
    return begins <= now.timestamp() + 1 and now.timestamp() < ends


# What counts most stands first; the rest follows as it came.
_FIRST: Final = ("acr", "sub", "represents")


def _rank(value: tuple[str, str]) -> int:
    return _FIRST.index(value[0]) if value[0] in _FIRST else len(_FIRST)


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _shown(facts: object) -> str:
    return json.dumps(facts, ensure_ascii=False, indent=2)


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
