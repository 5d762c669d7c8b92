"""Any proof whatever is judged as an independent reading of RFC 9449 judges it, and nothing else can happen."""

import base64
import hashlib
import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry

from idp.protocols.message import HttpMessage
from idp.protocols.oidc.faults import BackChannelFault
from idp.protocols.oidc.jose.dpop import Policy, proof_of
from tests.protocol.oidc_kit import Provider
from tests.protocol.oidc_proof import TOKEN, Prover

ACCESS = "an-access-token"
HASH = base64.urlsafe_b64encode(hashlib.sha256(ACCESS.encode()).digest()).rstrip(b"=").decode()
JSON = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
ADDRESSES = st.sampled_from(
    [TOKEN, TOKEN + "?a=b", TOKEN + "#c", TOKEN.upper(), "HTTP://localhost:8000/oidc/token", TOKEN + "/", "x", ""]
)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "jti": st.sampled_from(["a", "", "x" * 256, "x" * 257, "é"]) | JSON,
        "htm": st.sampled_from(["POST", "GET", "post"]) | JSON,
        "htu": ADDRESSES | JSON,
        "iat": st.integers(-75, 15) | JSON,
        "ath": st.sampled_from([HASH, HASH[:-1], ACCESS]) | JSON,
        "nonce": st.just("stranger's") | JSON,
    },
)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "typ": st.sampled_from(["dpop+jwt", "JWT", "DPoP+jwt", None]),
        "alg": st.sampled_from(["ES256", "RS256", "HS256", "none", None]),
        "jwk": st.sampled_from([None, {}, {"kty": "oct", "k": "A" * 43}]),
        "crit": st.sampled_from([[], ["b64"]]),
    },
)


@pytest.fixture(scope="module")
def provider(shared_provider: Provider) -> Provider:
    """Nothing here changes the provider."""
    return shared_provider


def independent(token: str, now: float) -> bool:
    """Section 4.3 of RFC 9449, read again by other means: the whole token by another path through the library."""
    try:
        head = json.loads(_open(token.split(".")[0]))
        key = JWKRegistry.import_key(head["jwk"])
        registry = jws.JWSRegistry(algorithms=["ES256", "RS256", "PS256"])
        claims = json.loads(jws.deserialize_compact(token, key, registry=registry).payload)
    except (JoseError, ValueError, KeyError, TypeError, AttributeError):
        return False
    named = claims.get("htu")
    jti, iat = claims.get("jti"), claims.get("iat")
    return all(
        (
            head.get("typ") == "dpop+jwt" and "crit" not in head,
            isinstance(jti, str) and 0 < len(jti) <= 256 and jti.isascii() and jti.isprintable(),
            claims.get("htm") == "POST",
            isinstance(named, str) and _same(named),
            isinstance(iat, int | float) and not isinstance(iat, bool) and -60 < iat - now <= 10,
            claims.get("ath") == HASH,
            "nonce" not in claims or claims["nonce"] is None,
        )
    )


def _open(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _same(named: str) -> bool:
    parts = urlsplit(named)
    return (parts.scheme, parts.netloc.lower(), parts.path) == ("http", "localhost:8000", "/oidc/token")


def judged(provider: Provider, token: str) -> bool:
    """Whether ours takes a proof; any refusal is one of the two errors of RFC 9449."""
    message = HttpMessage("POST", "/oidc/token", headers={"dpop": token})
    try:
        found = proof_of(provider.office, message, Policy(TOKEN), provider.clock.now(), ACCESS)
    except BackChannelFault as fault:
        return _orderly(fault)
    assert found is not None
    assert found.until <= provider.clock.now() + timedelta(seconds=80)
    return True


def _orderly(fault: BackChannelFault) -> bool:
    assert (fault.error in ("invalid_dpop_proof", "use_dpop_nonce"), fault.status) == (True, 400)
    return False


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=CHANGES, header=HEADERS)
def test_a_proof_is_judged_as_the_standard_reads(
    provider: Provider, changes: dict[str, Any], header: dict[str, Any]
) -> None:
    """Whatever its claims and its header, ours and the independent reading agree."""
    prover, now = Prover(provider), provider.clock.now().timestamp()
    claims = prover.claims(TOKEN, "POST", ACCESS) | changes
    if "iat" in changes and isinstance(changes["iat"], int) and not isinstance(changes["iat"], bool):
        claims["iat"] = int(now) + changes["iat"]
    token = prover.signed(claims, header)
    assert judged(provider, token) == independent(token, now)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 400), other=st.sampled_from("AZaz09-_.="))
def test_a_changed_proof_is_worth_nothing(provider: Provider, place: int, other: str) -> None:
    """A proof in which one character changed does not hold, except where the octets stay the same."""
    token = Prover(provider).proof(token=ACCESS)
    place %= len(token)
    changed = token[:place] + other + token[place + 1 :]
    same = _octets(changed) == _octets(token)
    assert judged(provider, changed) == same


def _octets(token: str) -> list[bytes] | None:
    try:
        return [_open(part) for part in token.split(".")] if "=" not in token else None
    except ValueError:
        return None


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=80) | st.from_regex(r"[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}"))
def test_any_text_is_refused_in_order(provider: Provider, text: str) -> None:
    """What is no proof at all is refused, and never an exception (SEC-2)."""
    assert judged(provider, text) is False
