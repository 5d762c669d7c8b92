"""XML encryption of identifiers and assertions for recipients, and its reverse (ENC-1..9, RUL-27)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from idp.protocols.saml.xml import Element

Entropy = Callable[[int], bytes]


class Scheme(StrEnum):
    """A block cipher with its key transport (RUL-27)."""

    CBC_OAEP_SHA1 = "aes256-cbc+rsa-oaep-mgf1p"
    GCM_OAEP_SHA256 = "aes256-gcm+rsa-oaep-sha256"


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who may read it: entity ID, KeyName of the encryption certificate (None: not shown), public key."""

    entity_id: str
    key_name: str | None
    key: RSAPublicKey


class Wrapper(StrEnum):
    """The SAML element around the ciphertext."""

    ENCRYPTED_ID = "EncryptedID"
    ENCRYPTED_ASSERTION = "EncryptedAssertion"
    ENCRYPTED_ATTRIBUTE = "EncryptedAttribute"


def encrypt(
    plaintext: bytes,
    wrapper: Wrapper,
    recipients: Sequence[Recipient],
    scheme: Scheme,
    entropy: Entropy,
    *,
    enclosed: bool = False,
) -> bytes:
    """The encrypted element in exclusive canonical form, EncryptedKey as sibling of EncryptedData (ENC-1).

    ``plaintext`` is one element with its own namespace declarations (ENC-4). One EncryptedKey per recipient; give a
    recipient twice for two certificates (ENC-2); CarriedKeyName when there are several (ENC-3). ``enclosed`` leaves
    out ``xmlns:saml`` because the place it goes to already has it. XML ids are drawn from ``entropy`` (ENC-6).
    """
    raise NotImplementedError


class DecryptionKey(Protocol):
    """A private key that unwraps session keys; ``cryptography``'s RSA key is adapted by ``LocalDecryptionKey``."""

    def unwrap(self, scheme: Scheme, wrapped: bytes) -> bytes:
        """The session key, 32 octets; any exception means that it cannot."""
        ...


def decrypt(element: Element, tag: str, keys: Sequence[DecryptionKey]) -> Element:
    """The one element, of the expected tag, inside an EncryptedID, EncryptedAssertion or EncryptedAttribute.

    EncryptedKey may stand in KeyInfo or beside EncryptedData. One error whatever failed: ``Refused(DECRYPTION)``.
    """
    raise NotImplementedError
