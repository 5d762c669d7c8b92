"""The signature, digest and encryption algorithms that are spoken here, and no others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

VerificationKey = RSAPublicKey | EllipticCurvePublicKey


class SignatureMethod(StrEnum):
    """SignatureMethod identifiers (RUL-27); ``.key_algorithm`` is the name that ``ports.SigningKey.sign`` takes."""

    RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
    RSA_SHA384 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384"
    RSA_SHA512 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"
    RSA_PSS_SHA256 = "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"
    RSA_PSS_SHA384 = "http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1"
    RSA_PSS_SHA512 = "http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1"
    ECDSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
    ECDSA_SHA384 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"
    ECDSA_SHA512 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512"


class DigestMethod(StrEnum):
    """DigestMethod identifiers (RUL-27)."""

    SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
    SHA384 = "http://www.w3.org/2001/04/xmldsig-more#sha384"
    SHA512 = "http://www.w3.org/2001/04/xmlenc#sha512"


def check_signature(
    method: SignatureMethod, signature: bytes, data: bytes, keys: Sequence[VerificationKey]
) -> None:
    """Whether one of the keys made the signature; ECDSA values are r and s side by side.

    Raises ``Refused(SIGNATURE)`` when none did: wrong key, wrong family, RSA under 2048 bits, a foreign curve.
    """
    raise NotImplementedError
