"""For whom to encrypt, and how, by what a relying party's metadata offer (ENC-2, ENC-5, ENC-9, RUL-27)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from idp.protocols.saml.metadata.sp_metadata import Certificate, SpMetadata
from idp.protocols.saml.xmlsec.encryption import (
    DEPLOYED,
    BlockCipher,
    Entropy,
    Envelope,
    KeyTransport,
    Recipient,
    Scheme,
    Wrapper,
    encrypt,
)

# RSA-OAEP with SHA-256 only where it is offered: python3-saml's schemas and node-saml do not know it.
_UNSAID: Final = Scheme(BlockCipher.AES256_GCM, KeyTransport.OAEP_SHA1)


@dataclass(frozen=True, slots=True)
class Seal:
    """Recipients and algorithms; ``inline`` is where EncryptedKey stands."""

    recipients: tuple[Recipient, ...]
    scheme: Scheme
    inline: bool
    entropy: Entropy

    def close(self, plaintext: bytes, wrapper: Wrapper, *, enclosed: bool = False) -> bytes:
        """The encrypted element in canonical form; ``enclosed`` inside an Assertion."""
        return encrypt(plaintext, self.recipients, Envelope(wrapper, self.scheme, enclosed, self.inline), self.entropy)


def seal_for(metadata: SpMetadata, now: datetime, entropy: Entropy, *, scheme: bool) -> Seal | None:
    """How to encrypt for a relying party, or None when it offers no certificate.

    ``scheme``: in eHerkenning one EncryptedKey per valid certificate, beside the data (ENC-1, ENC-2); elsewhere the
    newest one, within, as generic clients expect.
    """
    usable = [one for one in metadata.encryption if one.valid(now)] or list(metadata.encryption)
    chosen = usable if scheme else sorted(usable, key=lambda one: one.not_before)[-1:]
    recipients = tuple(
        Recipient(metadata.entity_id, one.name, one.key) for one in chosen if isinstance(one.key, RSAPublicKey)
    )
    if not recipients:
        return None
    return Seal(recipients, _algorithms(chosen, DEPLOYED if scheme else _UNSAID), not scheme, entropy)


def _algorithms(certificates: Sequence[Certificate], usual: Scheme) -> Scheme:
    """The best that every certificate offers; the usual ones where nothing is said."""
    offered = frozenset.intersection(*(one.methods for one in certificates))
    cipher = next((one for one in (BlockCipher.AES256_GCM, BlockCipher.AES256_CBC) if one in offered), None)
    if cipher is None:
        return usual
    modern = KeyTransport.OAEP_SHA256 in offered
    return replace(usual, cipher=cipher, transport=KeyTransport.OAEP_SHA256 if modern else KeyTransport.OAEP_SHA1)
