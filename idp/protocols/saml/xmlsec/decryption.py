"""Decrypting what was encrypted for us, with one answer for every failure (RUL-27)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NoReturn, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from idp.protocols.saml.xmlsec.encryption import (
    CBC_BLOCK,
    ELEMENT_TYPE,
    GCM_NONCE,
    KEY_OCTETS,
    OAEP,
    BlockCipher,
    KeyTransport,
)
from idp.protocols.saml.xmlsec.refusal import Fault, Refused
from idp.protocols.saml.xmlsec.xml import DS, XENC, XENC11, Element, decode_base64, escape_attribute, parse

_DATA: Final = f"{{{XENC}}}EncryptedData"
_KEY: Final = f"{{{XENC}}}EncryptedKey"
_METHOD: Final = f"{{{XENC}}}EncryptionMethod"
_CIPHER_DATA: Final = f"{{{XENC}}}CipherData"
_CIPHER_VALUE: Final = f"{{{XENC}}}CipherValue"
_KEY_INFO: Final = f"{{{DS}}}KeyInfo"
_DIGEST: Final = f"{{{DS}}}DigestMethod"
_MASK: Final = f"{{{XENC11}}}MGF"
_MOST_KEYS: Final = 4


class DecryptionKey(Protocol):
    """A private key that unwraps session keys, in memory or in a token."""

    def unwrap(self, transport: KeyTransport, wrapped: bytes) -> bytes:
        """The session key; ``ValueError`` when this key cannot."""
        ...


@dataclass(frozen=True, slots=True)
class LocalDecryptionKey:
    """A private key of ours in memory."""

    key: RSAPrivateKey

    def unwrap(self, transport: KeyTransport, wrapped: bytes) -> bytes:
        """The session key; ``ValueError`` when this key cannot."""
        return self.key.decrypt(wrapped, OAEP[transport].padding())


def decrypt(element: Element, tag: str, keys: Sequence[DecryptionKey]) -> Element:
    """The one element, of the expected tag, inside an EncryptedID, EncryptedAssertion or EncryptedAttribute.

    EncryptedKey may stand in KeyInfo or beside EncryptedData. What comes back has a document of its own; a signature
    on it is verified with ``enclosed=True``. One error whatever failed: ``Refused(DECRYPTION)``, and the caller
    shows nothing more than its public sentence, or the CBC padding would talk.
    """
    try:  # an element that is missing or doubled is a ValueError of the assignment that takes it
        plaintext = _decipher(element, keys)
        found = _reparse(plaintext, element)
    except (Refused, ValueError, InvalidTag) as error:
        raise Refused(Fault.DECRYPTION, f"{type(error).__name__}: {error}") from None
    if found.tag != tag:
        _refuse(f"{found.tag!r} where {tag} belongs")
    return found


def _refuse(detail: str) -> NoReturn:
    raise Refused(Fault.DECRYPTION, detail)


def _decipher(element: Element, keys: Sequence[DecryptionKey]) -> bytes:
    (data,) = element.iterchildren(_DATA)
    if data.get("Type") not in (None, ELEMENT_TYPE):
        _refuse(f"EncryptedData of type {data.get('Type')!r}")
    (method,) = data.iterchildren(_METHOD)
    cipher = BlockCipher(method.get("Algorithm", ""))
    if len(method):
        _refuse("parameters for the block cipher")
    octets = _cipher_value(data)
    boxes = [box for place in (*data.iterchildren(_KEY_INFO), element) for box in place.iterchildren(_KEY)]
    if len(boxes) > _MOST_KEYS or len(keys) > _MOST_KEYS:
        _refuse(f"{len(boxes)} encrypted keys, {len(keys)} keys")
    return _open(cipher, _unwrap(boxes, keys), octets)


def _unwrap(boxes: Sequence[Element], keys: Sequence[DecryptionKey]) -> bytes:
    for box in boxes:
        transport, wrapped = _transport(box), _cipher_value(box)
        for key in keys:
            try:
                secret = key.unwrap(transport, wrapped)
            except ValueError:
                continue
            if len(secret) == KEY_OCTETS:
                return secret
    _refuse("no key of ours opens it")


def _transport(box: Element) -> KeyTransport:
    (method,) = box.iterchildren(_METHOD)
    transport = KeyTransport(method.get("Algorithm", ""))
    oaep = OAEP[transport]
    found = {child.tag: child.get("Algorithm") for child in method}
    # SHA-1 is the default digest of both, and MGF1 with SHA-1 the default mask of the newer.
    digest = found.pop(_DIGEST, OAEP[KeyTransport.OAEP_SHA1].digest_uri)
    mask = found.pop(_MASK, None)
    if found or (digest, mask) != (oaep.digest_uri, oaep.mask_uri):
        _refuse(f"parameters of {transport.name}: {digest!r}, {mask!r}, {sorted(map(str, found))}")
    return transport


def _cipher_value(parent: Element) -> bytes:
    (data,) = parent.iterchildren(_CIPHER_DATA)
    (value,) = data  # a CipherReference would be a fetch
    if value.tag != _CIPHER_VALUE or len(value):
        _refuse("CipherData without CipherValue")
    return decode_base64(value.text)


def _open(cipher: BlockCipher, secret: bytes, octets: bytes) -> bytes:
    if cipher is BlockCipher.AES256_GCM:
        return AESGCM(secret).decrypt(octets[:GCM_NONCE], octets[GCM_NONCE:], None)
    vector, blocks = octets[:CBC_BLOCK], octets[CBC_BLOCK:]
    decryptor = Cipher(algorithms.AES256(secret), modes.CBC(vector)).decryptor()
    padded = decryptor.update(blocks) + decryptor.finalize()
    if not padded or not 1 <= padded[-1] <= CBC_BLOCK:
        _refuse("padding")
    return padded[: -padded[-1]]


def _reparse(plaintext: bytes, place: Element) -> Element:
    """Parse the plaintext in the namespaces of the place it came from: some senders rely on those."""
    spaces = "".join(
        f' xmlns{f":{prefix}" if prefix else ""}="{escape_attribute(uri)}"'
        for prefix, uri in place.nsmap.items()
        if prefix != "xml"
    )
    wrapper = parse(f"<plaintext{spaces}>".encode() + plaintext + b"</plaintext>")
    if len(wrapper) != 1 or (wrapper.text or "").strip() or (wrapper[0].tail or "").strip():
        _refuse("the plaintext is not one element")
    return wrapper[0]
