"""XML encryption of identifiers and assertions for their recipients (ENC-1..9, RUL-27); ``decryption`` undoes it."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from idp.protocols.saml.xmlsec.xml import DS, SAML, XENC, XENC11, escape_attribute, escape_text

Entropy = Callable[[int], bytes]

KEY_OCTETS: Final = 32
CBC_BLOCK: Final = 16
GCM_NONCE: Final = 12
ELEMENT_TYPE: Final = f"{XENC}Element"
KEY_TYPE: Final = f"{XENC}EncryptedKey"


class BlockCipher(StrEnum):
    """Algorithms of EncryptedData."""

    AES256_CBC = f"{XENC}aes256-cbc"
    AES256_GCM = f"{XENC11}aes256-gcm"


class KeyTransport(StrEnum):
    """Algorithms of EncryptedKey: RSA-OAEP with SHA-1, or with SHA-256, as digest and in MGF1."""

    OAEP_SHA1 = f"{XENC}rsa-oaep-mgf1p"
    OAEP_SHA256 = f"{XENC11}rsa-oaep"


@dataclass(frozen=True, slots=True)
class Oaep:
    """The parameters of a key transport: the hash, and how digest and mask function are called in XML."""

    digest: Callable[[], hashes.HashAlgorithm]
    digest_uri: str
    mask_uri: str | None

    def padding(self) -> padding.OAEP:
        """The same for ``cryptography``."""
        return padding.OAEP(padding.MGF1(self.digest()), self.digest(), None)


OAEP: Final = {
    KeyTransport.OAEP_SHA1: Oaep(hashes.SHA1, f"{DS}sha1", None),  # noqa: S303 - what clients read (ENC-9)
    KeyTransport.OAEP_SHA256: Oaep(hashes.SHA256, f"{XENC}sha256", f"{XENC11}mgf1sha256"),
}


@dataclass(frozen=True, slots=True)
class Scheme:
    """A block cipher with its key transport."""

    cipher: BlockCipher
    transport: KeyTransport


DEPLOYED: Final = Scheme(BlockCipher.AES256_CBC, KeyTransport.OAEP_SHA1)
"""What eHerkenning clients read (RUL-27)."""


class Wrapper(StrEnum):
    """The SAML element around the ciphertext."""

    ENCRYPTED_ID = "EncryptedID"
    ENCRYPTED_ASSERTION = "EncryptedAssertion"
    ENCRYPTED_ATTRIBUTE = "EncryptedAttribute"


@dataclass(frozen=True, slots=True)
class Envelope:
    """How ciphertext is wrapped.

    ``enclosed`` leaves out ``xmlns:saml`` because the place it goes to declares it already (an EncryptedID inside an
    Assertion). ``inline`` puts EncryptedKey into KeyInfo, as many generic clients expect, instead of beside
    EncryptedData (ENC-1).
    """

    wrapper: Wrapper
    scheme: Scheme = DEPLOYED
    enclosed: bool = False
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who may read it: entity ID, KeyName of the encryption certificate (None: not shown), public key."""

    entity_id: str
    key_name: str | None
    key: RSAPublicKey


def encrypt(plaintext: bytes, recipients: Sequence[Recipient], envelope: Envelope, entropy: Entropy) -> bytes:
    """The encrypted element, in exclusive canonical form.

    ``plaintext`` is one element with its own namespace declarations (ENC-4). One EncryptedKey per recipient; name a
    recipient twice for two certificates (ENC-2); with several each has CarriedKeyName (ENC-3). XML ids, session key
    and nonce are drawn from ``entropy`` (ENC-6). ``ValueError`` without recipients.
    """
    if not recipients:
        raise ValueError("nobody to encrypt for")
    secret = entropy(KEY_OCTETS)
    data_id = f"_{entropy(16).hex()}"
    tail = _references(data_id, several=len(recipients) > 1)
    keys, pointers = "", ""
    for recipient in recipients:
        key_id = f"_{entropy(16).hex()}"
        wrapped = recipient.key.encrypt(secret, OAEP[envelope.scheme.transport].padding())
        keys += _encrypted_key(recipient, key_id, _cipher_data(wrapped) + tail, envelope)
        pointers += f'<ds:RetrievalMethod Type="{KEY_TYPE}" URI="#{key_id}"></ds:RetrievalMethod>'
    namespace = "" if envelope.enclosed else f' xmlns:saml="{SAML}"'
    return (
        f"<saml:{envelope.wrapper}{namespace}>"
        f'<xenc:EncryptedData xmlns:xenc="{XENC}" Id="{data_id}" Type="{ELEMENT_TYPE}">'
        f'<xenc:EncryptionMethod Algorithm="{envelope.scheme.cipher}"></xenc:EncryptionMethod>'
        f'<ds:KeyInfo xmlns:ds="{DS}">{keys if envelope.inline else pointers}</ds:KeyInfo>'
        f"{_cipher_data(_encipher(secret, plaintext, envelope.scheme.cipher, entropy))}"
        f"</xenc:EncryptedData>{'' if envelope.inline else keys}</saml:{envelope.wrapper}>"
    ).encode()


def _encrypted_key(recipient: Recipient, key_id: str, body: str, envelope: Envelope) -> str:
    transport = envelope.scheme.transport
    oaep = OAEP[transport]
    # Inside KeyInfo of EncryptedData both prefixes are declared already, beside it neither is.
    xenc, ds = ("", "") if envelope.inline else (f' xmlns:xenc="{XENC}"', f' xmlns:ds="{DS}"')
    mask = f'<xenc11:MGF xmlns:xenc11="{XENC11}" Algorithm="{oaep.mask_uri}"></xenc11:MGF>' if oaep.mask_uri else ""
    info = ""
    if recipient.key_name is not None:
        info = f"<ds:KeyInfo{ds}><ds:KeyName>{escape_text(recipient.key_name)}</ds:KeyName></ds:KeyInfo>"
    return (
        f'<xenc:EncryptedKey{xenc} Id="{key_id}" Recipient="{escape_attribute(recipient.entity_id)}">'
        f'<xenc:EncryptionMethod Algorithm="{transport}">'
        f'<ds:DigestMethod{ds} Algorithm="{oaep.digest_uri}"></ds:DigestMethod>{mask}</xenc:EncryptionMethod>'
        f"{info}{body}</xenc:EncryptedKey>"
    )


def _references(data_id: str, *, several: bool) -> str:
    name = f"<xenc:CarriedKeyName>{data_id}</xenc:CarriedKeyName>" if several else ""
    return f'<xenc:ReferenceList><xenc:DataReference URI="#{data_id}"></xenc:DataReference></xenc:ReferenceList>{name}'


def _cipher_data(octets: bytes) -> str:
    value = b64encode(octets).decode()
    return f"<xenc:CipherData><xenc:CipherValue>{value}</xenc:CipherValue></xenc:CipherData>"


def _encipher(secret: bytes, plaintext: bytes, cipher: BlockCipher, entropy: Entropy) -> bytes:
    if cipher is BlockCipher.AES256_GCM:
        nonce = entropy(GCM_NONCE)
        return nonce + AESGCM(secret).encrypt(nonce, plaintext, None)
    vector = entropy(CBC_BLOCK)
    fill = CBC_BLOCK - len(plaintext) % CBC_BLOCK
    encryptor = Cipher(algorithms.AES256(secret), modes.CBC(vector)).encryptor()
    return vector + encryptor.update(plaintext + bytes([fill]) * fill) + encryptor.finalize()
