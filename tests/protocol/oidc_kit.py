"""An OpenID Provider with fixed keys, clock and randomness in the invented world, and clients that talk to it."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from sqlalchemy import select

from idp.domain.assurance import Factor
from idp.domain.login import KeptSession
from idp.domain.parties import Service
from idp.effects.entropy import SeededEntropy
from idp.lab.seed import seed
from idp.protocols.message import Answer, Document, HttpMessage, PostForm, Redirect
from idp.protocols.oidc import OidcCodec, documents, pushed, token, userinfo
from idp.protocols.oidc.client.registration import described
from idp.services.authentication.login import Browser, Concluded, Result, Visit, begin
from idp.services.relying_parties.parties import add, configure
from idp.services.sessions.kept import open_session
from idp.services.work import Office
from idp.store.people import Account
from tests.office import StandingClock, open_test_office

KEYS = Path(__file__).parent / "keys" / "oidc"
BASE = "http://localhost:8000"
CALLBACK = "https://client.example.test/callback"
UWV = "00000009900000001000"
RVO = "00000009900000002000"
FORM = "application/x-www-form-urlencoded"
VERIFIER = "v" * 43
STATE = "state-with-enough-randomness"
NONCE = "nonce-with-enough-randomness"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LOA = "urn:etoegang:core:assurance-class:loa"
EIDAS = "http://eidas.europa.eu/LoA/"


def challenge_of(verifier: str) -> str:
    """The S256 challenge."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


@cache
def client_key(kind: str = "ec") -> ECKey | RSAKey:
    """The key of a client that proves itself by key."""
    pem = (KEYS / f"client-{kind}.key.pem").read_text()
    parameters = {"kid": f"client-{kind}", "use": "sig"}
    return ECKey.import_key(pem, parameters) if kind == "ec" else RSAKey.import_key(pem, parameters)


def jwks(*kinds: str) -> dict[str, Any]:
    """The public keys of a client."""
    return {"keys": [client_key(kind).as_dict(private=False) for kind in kinds]}


def metadata(**changes: Any) -> dict[str, Any]:
    """The registration of a client; a change to None leaves a member out."""
    given = {"client_name": "Portal", "redirect_uris": [CALLBACK]} | changes
    return {name: value for name, value in given.items() if value is not None}


class Provider:
    """The provider: its office, its codec, and a world of people in its database."""

    def __init__(self, url: str, *, empty: bool = False, **settings: object) -> None:
        self.clock = StandingClock()
        self.office: Office = open_test_office(url, KEYS, self.clock, **settings)
        self.codec = OidcCodec()
        if not empty:
            seed(self.office, 7)

    def close(self) -> None:
        """Give the connections back."""
        self.office.engine.dispose()
        self.office.directory._engine.dispose()

    def register(
        self, services: str = "UWV", wishes: Mapping[str, str] | None = None, **changes: Any
    ) -> "RelyingParty":
        """A client, registered as an operator does it."""
        octets = json.dumps(metadata(**changes)).encode()
        profile = {"profile": wishes["profile"]} if wishes and "profile" in wishes else {}
        with self.office.work("operator") as work:
            added = add(work, described(octets, tuple(services.split(",")), profile, None))
            if wishes:
                configure(work, added.party.id, wishes)
        return RelyingParty(self, added.party.identity, added.secret, octets)

    def log_in(
        self,
        username: str = "anna",
        factors: tuple[Factor, ...] = (Factor.PASSWORD, Factor.OTP),
        last_used_at: str = UWV,
    ) -> Browser:
        """A browser that holds a session of a person."""
        now = self.clock.now()
        with self.office.work("person") as work:
            account = work.connection.execute(select(Account.id).where(Account.username == username)).scalar_one()
            kept = KeptSession("", account, frozenset(factors), now, now, now, last_used_at)
            return Browser("browser", open_session(work, kept).secret)

    def without_session(self) -> Browser:
        """A browser that comes for the first time."""
        return Browser("browser", "")

    def service(self, slug: str) -> Service:
        """A service of the catalogue."""
        return next(one for one in self.office.directory.services() if one.slug == slug)

    def userinfo(self, access_token: str, **headers: str) -> Document:
        """What an access token stands for."""
        bearer = {"authorization": f"Bearer {access_token}"}
        message = HttpMessage("GET", "/oidc/userinfo", headers=bearer | headers)
        return userinfo(self.office, message, self.clock.now())

    def key_set(self) -> KeySet:
        """Our keys as a client finds them."""
        return KeySet.import_key_set(json.loads(documents(self.office)["/oidc/jwks"][1]))

    def verified(self, id_token: str, algorithm: str = "RS256") -> dict[str, Any]:
        """The claims of a token of ours, its signature checked."""
        return dict(jwt.decode(id_token, self.key_set(), algorithms=[algorithm]).claims)

    def move(self, **by: float) -> None:
        """Let time pass."""
        self.clock.move(timedelta(**by))


class _Escaping(json.JSONEncoder):
    """JSON in ASCII alone, so that a claim may hold half a character as it may on the wire."""

    def __init__(self, **named: Any) -> None:
        super().__init__(**named | {"ensure_ascii": True})


@dataclass
class RelyingParty:
    """A client and what it knows."""

    provider: Provider
    client_id: str
    secret: str
    registered: bytes
    marks: SeededEntropy = field(default_factory=lambda: SeededEntropy("client"))

    def request(self, **changes: str | None) -> dict[str, str]:
        """The parameters of a request; a change to None leaves one out."""
        given: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": CALLBACK,
            "scope": "openid",
            "state": STATE,
            "nonce": NONCE,
            "code_challenge": challenge_of(VERIFIER),
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (given | changes).items() if value is not None}

    def begin(self, browser: Browser, **changes: str | None) -> Result:
        """Send a person with a request; answers how the login stands."""
        query = urlencode(self.request(**changes)).encode()
        message = HttpMessage("GET", "/oidc/authorize", query)
        provider = self.provider
        incoming = provider.codec.read(provider.office, message, provider.clock.now())
        return begin(provider.office, incoming, Visit(browser, provider.codec.record), bounce=False)

    def authorize(self, browser: Browser, **changes: str | None) -> Answer:
        """Send a person of whom nothing is to be asked; the answer that reaches the client."""
        result = self.begin(browser, **changes)
        assert isinstance(result, Concluded), result
        provider = self.provider
        return provider.codec.answer(
            provider.office, result.incoming, result.outcome, result.recorded, provider.clock.now()
        )

    def code(self, browser: Browser | None = None, **changes: str | None) -> str:
        """A fresh code for anna, or for the person of a browser."""
        told = parameters_of(self.authorize(browser or self.provider.log_in(), **changes))
        assert "code" in told, told
        return told["code"]

    def post(self, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Document:
        """Call the token endpoint as written."""
        body = urlencode(form).encode()
        message = HttpMessage("POST", "/oidc/token", b"", body, FORM, headers or {})
        return token(self.provider.office, message, self.provider.clock.now())

    def redeem(self, code: str, /, **changes: str | None) -> Document:
        """Exchange a code, proving itself by Basic unless changed."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        return self.post(_changed(form, changes), self.basic())

    def refresh(self, refresh_token: str, /, **changes: str | None) -> Document:
        """Exchange a refresh token."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self.post(_changed(form, changes), self.basic())

    def tokens(self, browser: Browser | None = None, **changes: str | None) -> dict[str, Any]:
        """The whole code flow."""
        return told_by(self.redeem(self.code(browser, **changes)))

    def basic(self, client_id: str | None = None, secret: str | None = None) -> dict[str, str]:
        """The Authorization header."""
        pair = f"{quote(client_id or self.client_id, safe='')}:{quote(secret or self.secret, safe='')}"
        return {"authorization": "Basic " + base64.b64encode(pair.encode()).decode()} if self.secret or secret else {}

    def assertion(self, algorithm: str = "ES256", header: Mapping[str, Any] | None = None, **changes: Any) -> str:
        """A client assertion; a change to None leaves a claim out."""
        now = int(self.provider.clock.now().timestamp())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": BASE,
            "exp": now + 60,
            "iat": now,
            "jti": self.marks.bytes(16).hex(),
        }
        key = client_key("ec" if algorithm.startswith("ES") else "rsa")
        made = {"alg": algorithm, "kid": key.kid} | dict(header or {})
        registry = jwt.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
        return jwt.encode(made, _changed(claims, changes), key, registry=registry, encoder_cls=_Escaping)

    def request_object(self, algorithm: str = "ES256", header: Mapping[str, Any] | None = None, **changes: Any) -> str:
        """A signed request; a change to None leaves a parameter or claim out."""
        now = int(self.provider.clock.now().timestamp())
        about = {"iss": self.client_id, "aud": BASE, "exp": now + 60, "nbf": now, "jti": self.marks.bytes(16).hex()}
        key = client_key("ec" if algorithm.startswith("ES") else "rsa")
        made = {"alg": algorithm, "kid": key.kid, "typ": "oauth-authz-req+jwt"} | dict(header or {})
        registry = jwt.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
        claims = _changed(self.request() | about, changes)
        return jwt.encode(made, claims, key, registry=registry, encoder_cls=_Escaping)

    def push(self, headers: Mapping[str, str] | None = None, /, **changes: str | None) -> Document:
        """Push a request, proving itself by Basic unless changed."""
        return self.push_form(self.request(**changes), self.basic() if headers is None else headers)

    def push_form(self, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Document:
        """Call the endpoint for pushed requests as written."""
        body = urlencode(form).encode()
        message = HttpMessage("POST", "/oidc/par", b"", body, FORM, headers or {})
        return pushed(self.provider.office, message, self.provider.clock.now())

    def redeem_by_key(self, code: str, assertion: str, /, **changes: str | None) -> Document:
        """Exchange a code, proving itself by key."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
        }
        return self.post(_changed(form, changes))


def parameters_of(answer: Answer) -> dict[str, str]:
    """What reached the client."""
    if isinstance(answer, PostForm):
        return dict(answer.fields)
    assert isinstance(answer, Redirect)
    told = parse_qs(urlsplit(answer.location).query, keep_blank_values=True, strict_parsing=True)
    assert all(len(values) == 1 for values in told.values()), told
    return {name: values[0] for name, values in told.items()}


def told_by(document: Document, status: int = 200) -> dict[str, Any]:
    """The JSON of an answer with the status that it must have."""
    assert document.status == status, (document.status, document.body)
    assert document.headers["Cache-Control"] == "no-store"
    told = json.loads(document.body)
    assert isinstance(told, dict)
    return told


def with_services(party: RelyingParty, **changes: str | None) -> RelyingParty:
    """The same client with another callback or secret."""
    return replace(party, **changes)  # type: ignore[arg-type]


def _changed(given: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**given, **changes}.items() if value is not None}
