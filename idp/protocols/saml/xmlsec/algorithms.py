"""The signature and digest algorithms that are spoken here, and no others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from idp.protocols.saml.xmlsec.refusal import Fault, Refused

VerificationKey = RSAPublicKey | EllipticCurvePublicKey

RSA_BITS: Final = range(2048, 8193)
CURVES: Final = {"secp256r1": 32, "secp384r1": 48}
MOST_KEYS: Final = 8


class SignatureMethod(StrEnum):
    """SignatureMethod identifiers (RUL-27)."""

    RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
    RSA_SHA384 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384"
    RSA_SHA512 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"
    RSA_PSS_SHA256 = "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"
    RSA_PSS_SHA384 = "http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1"
    RSA_PSS_SHA512 = "http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1"
    ECDSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
    ECDSA_SHA384 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"
    ECDSA_SHA512 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512"

    @property
    def key_algorithm(self) -> str:
        """The name that ``ports.SigningKey.sign`` takes: ``RSA_PSS_SHA256`` is ``rsa-pss-sha256``."""
        return self.name.lower().replace("_", "-")


class DigestMethod(StrEnum):
    """DigestMethod identifiers (RUL-27)."""

    SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
    SHA384 = "http://www.w3.org/2001/04/xmldsig-more#sha384"
    SHA512 = "http://www.w3.org/2001/04/xmlenc#sha512"

    @property
    def hash_name(self) -> str:
        """Its name in ``hashlib``."""
        return self.name.lower()


class Family(StrEnum):
    """Which kind of key, and how it signs."""

    RSA = "rsa"
    RSA_PSS = "rsa-pss"
    ECDSA = "ecdsa"


@dataclass(frozen=True, slots=True)
class _Recipe:
    family: Family
    digest: Callable[[], hashes.HashAlgorithm]


_RECIPES: Final = {
    SignatureMethod.RSA_SHA256: _Recipe(Family.RSA, hashes.SHA256),
    SignatureMethod.RSA_SHA384: _Recipe(Family.RSA, hashes.SHA384),
    SignatureMethod.RSA_SHA512: _Recipe(Family.RSA, hashes.SHA512),
    SignatureMethod.RSA_PSS_SHA256: _Recipe(Family.RSA_PSS, hashes.SHA256),
    SignatureMethod.RSA_PSS_SHA384: _Recipe(Family.RSA_PSS, hashes.SHA384),
    SignatureMethod.RSA_PSS_SHA512: _Recipe(Family.RSA_PSS, hashes.SHA512),
    SignatureMethod.ECDSA_SHA256: _Recipe(Family.ECDSA, hashes.SHA256),
    SignatureMethod.ECDSA_SHA384: _Recipe(Family.ECDSA, hashes.SHA384),
    SignatureMethod.ECDSA_SHA512: _Recipe(Family.ECDSA, hashes.SHA512),
}


def signature_method(uri: str | None) -> SignatureMethod:
    """The method of that identifier; ``Refused(SIGNATURE)`` for any other, SHA-1 and HMAC among them (SEC-10)."""
    try:
        return SignatureMethod(uri or "")
    except ValueError:
        raise Refused(Fault.SIGNATURE, f"signature algorithm {uri!r}") from None


def digest_method(uri: str | None) -> DigestMethod:
    """The method of that identifier; ``Refused(SIGNATURE)`` for any other (SEC-10)."""
    try:
        return DigestMethod(uri or "")
    except ValueError:
        raise Refused(Fault.SIGNATURE, f"digest algorithm {uri!r}") from None


def check_signature(method: SignatureMethod, signature: bytes, data: bytes, keys: Sequence[VerificationKey]) -> None:
    """Let one of the keys vouch for the data; ECDSA values are r and s side by side.

    Raises ``Refused(SIGNATURE)`` when none does: wrong key, wrong family, RSA under 2048 bits, a foreign curve
    (SEC-12, RUL-27).
    """
    if len(keys) > MOST_KEYS:
        raise Refused(Fault.SIGNATURE, f"{len(keys)} keys are more than {MOST_KEYS}")
    recipe = _RECIPES[method]
    if not any(_vouches(key, recipe, signature, data) for key in keys):
        raise Refused(Fault.SIGNATURE, f"none of {len(keys)} keys made this {method.name} signature")


def _vouches(key: VerificationKey, recipe: _Recipe, signature: bytes, data: bytes) -> bool:
    try:
        if isinstance(key, RSAPublicKey):
            return _rsa_vouches(key, recipe, signature, data)
        return isinstance(key, EllipticCurvePublicKey) and _curve_vouches(key, recipe, signature, data)
    except InvalidSignature:
        return False


def _rsa_vouches(key: RSAPublicKey, recipe: _Recipe, signature: bytes, data: bytes) -> bool:
    if key.key_size not in RSA_BITS or recipe.family is Family.ECDSA:
        return False
    digest = recipe.digest()
    if recipe.family is Family.RSA:
        key.verify(signature, data, padding.PKCS1v15(), digest)
    else:
        key.verify(signature, data, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
    return True


def _curve_vouches(key: EllipticCurvePublicKey, recipe: _Recipe, signature: bytes, data: bytes) -> bool:
    width = CURVES.get(key.curve.name)
    if width is None or recipe.family is not Family.ECDSA or len(signature) != 2 * width:
        return False
    value = encode_dss_signature(int.from_bytes(signature[:width]), int.from_bytes(signature[width:]))
    key.verify(value, data, ec.ECDSA(recipe.digest()))
    return True
