"""Proof of possession of a key for one request: DPoP (RFC 9449)."""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, RSAKey

from idp.protocols.message import HttpMessage
from idp.protocols.oidc.faults import BackChannelFault
from idp.protocols.oidc.jose.instants import SKEW, instant
from idp.protocols.oidc.jose.jws import ALGORITHMS, BadToken, Verified, check_strength, unverified_header, verify
from idp.services.tickets import Purpose, first_use
from idp.services.work import Office, Work

KIND: Final = "dpop+jwt"
# A proof is made for one request and counts while that request may be under way (RFC 9449 section 11.1).
OLDEST: Final = timedelta(seconds=60)
# How long a nonce of ours is the newest one; the one before it counts as well (RFC 9449 section 8).
_NONCE_SECONDS: Final = 120
_MARK: Final = re.compile("[ -~]{1,256}")
_THUMBPRINT: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_MEMBERS: Final[Mapping[str, tuple[str, ...]]] = {"RSA": ("kty", "n", "e"), "EC": ("kty", "crv", "x", "y")}
_SECRETS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that holds: the thumbprint of its key (RFC 7638), and what makes it single use."""

    thumbprint: str
    mark: str
    until: datetime

    def spend(self, work: Work) -> None:
        """Let the proof count once, by one statement (SEC-25); raises ``BackChannelFault`` the second time."""
        if not first_use(work, Purpose.DPOP_PROOF, self.mark, self.until):
            raise bad_proof("The DPoP proof was used before.")


@dataclass(frozen=True, slots=True)
class Policy:
    """What a proof is held to: the address it must name, the algorithms, and whether it must carry a nonce of ours."""

    address: str
    algorithms: Sequence[str] = tuple(ALGORITHMS)
    nonce: bool = False


def proof_of(office: Office, message: HttpMessage, policy: Policy, now: datetime, token: str = "") -> Proof | None:
    """The proof that a request carries, or None without one; raises ``BackChannelFault``.

    ``token`` is the access token that the request brings, which the proof must then name (RFC 9449 section 4.3).
    """
    if "dpop" not in message.headers:
        return None
    try:
        key, proof = _signed(message.headers["dpop"], policy.algorithms)
    except BadToken as bad:
        raise bad_proof(str(bad)) from None
    here = _addresses(office, policy.address)
    complaint = complaint_of(proof.claims, Expected(message.method, here, token), now)
    if complaint:
        raise bad_proof(f"In the DPoP proof {complaint}.")
    _check_nonce(office, proof.claims.get("nonce"), policy.nonce, now)
    thumbprint = key.thumbprint()
    until = datetime.fromtimestamp(proof.claims["iat"], UTC) + OLDEST + SKEW
    return Proof(thumbprint, f"{thumbprint}:{proof.claims['jti']}", until)


def is_thumbprint(text: str) -> bool:
    """Whether a text can be the SHA-256 thumbprint of a key, as ``dpop_jkt`` names one (RFC 9449 section 10)."""
    return _THUMBPRINT.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Expected:
    """The request for which a proof must have been made."""

    method: str
    addresses: tuple[str, ...]
    token: str


def complaint_of(claims: Mapping[str, Any], expected: Expected, now: datetime) -> str:
    """What is wrong with the claims of a proof, or an empty text (RFC 9449 section 4.3)."""
    mark, made = claims.get("jti"), instant(claims, "iat")
    named = claims.get("htu")
    rows = (
        (isinstance(mark, str) and _MARK.fullmatch(mark) is not None, "jti must be 1 to 256 printable characters"),
        (claims.get("htm") == expected.method, f"htm must be {expected.method}"),
        (
            isinstance(named, str) and _normal(named) in [_normal(one) for one in expected.addresses],
            f"htu must be {' or '.join(expected.addresses)}",
        ),
        (made is not None, "iat is missing"),
        (made is not None and made > now - OLDEST, "iat lies more than a minute back: make a proof per request"),
        (made is not None and made <= now + SKEW, "iat lies ahead: set the clock right"),
        (_names(claims.get("ath"), expected.token), "ath is not the hash of the access token"),
    )
    return next((sentence for right, sentence in rows if not right), "")


def bad_proof(sentence: str, error: str = "invalid_dpop_proof", nonce: str = "") -> BackChannelFault:
    """A refusal of a proof, as the token endpoint tells it (RFC 9449 sections 5 and 8)."""
    return BackChannelFault("P12", error, sentence, 400, {"DPoP-Nonce": nonce} if nonce else None)


def _addresses(office: Office, address: str) -> tuple[str, ...]:
    """The addresses of an endpoint: the plain one, and the one where connections bring certificates."""
    server = office.settings.server
    other = server.certificate_url + address.removeprefix(server.base_url)
    return (address, other) if server.certificate_url else (address,)


def _signed(token: str, algorithms: Sequence[str]) -> tuple[Key, Verified]:
    """The key and the content of a proof whose signature holds; raises ``BadToken``."""
    header = unverified_header(token)
    if header.get("typ") != KIND:
        raise BadToken(f"The typ of a DPoP proof must be {KIND}.")
    key = _key(header.get("jwk"))
    return key, verify(token, (key,), algorithms)


def _key(given: Any) -> Key:
    """The public key of a proof; raises ``BadToken`` (RFC 9449 section 4.3)."""
    if not isinstance(given, dict) or given.get("kty") not in _MEMBERS:
        raise BadToken("The jwk of a DPoP proof must be an RSA key or a key on P-256.")
    if _SECRETS & set(given):
        raise BadToken("The jwk of a DPoP proof must be a public key.")
    numbers = {name: given.get(name) for name in _MEMBERS[given["kty"]]}
    try:
        key = (RSAKey if given["kty"] == "RSA" else ECKey).import_key(numbers)  # type: ignore[arg-type]  # it judges
        check_strength(key)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        raise BadToken("The jwk of a DPoP proof must be an RSA key of 2048 bits or more, or on P-256.") from None
    return key


def _check_nonce(office: Office, given: Any, required: bool, now: datetime) -> None:
    """A nonce is ours and recent; without one a proof passes where none is required (RFC 9449 section 8)."""
    if given is None and not required:
        return
    slot = int(now.timestamp()) // _NONCE_SECONDS
    known = [_nonce(office, one) for one in (slot, slot - 1)]
    if not isinstance(given, str) or not any(
        hmac.compare_digest(given.encode(errors="replace"), one.encode()) for one in known
    ):
        sentence = "Make the DPoP proof anew, with the nonce of this answer."
        raise bad_proof(sentence, "use_dpop_nonce", known[0])


def _nonce(office: Office, slot: int) -> str:
    return office.vault.digest(str(slot), "dpop-nonce")[:32]


def _names(given: Any, token: str) -> bool:
    if not token:
        return True
    wanted = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=")
    return isinstance(given, str) and hmac.compare_digest(given.encode(errors="replace"), wanted)


def _normal(address: str) -> tuple[str, str, int | None, str] | None:
    """An address as addresses are compared: without query and fragment, spelling of scheme, host and port aside."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    if not parts.scheme or not parts.hostname or "@" in parts.netloc:
        return None
    return parts.scheme.lower(), parts.hostname, port or _PORTS.get(parts.scheme.lower()), parts.path or "/"
