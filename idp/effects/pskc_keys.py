"""What encrypts a PSKC container and what vouches for it: a pre-shared key or one made of a password (RFC 6030, 6)."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap
from lxml.etree import _Element as Element

from idp.domain.seeds import BadSeed

PSKC = "{urn:ietf:params:xml:ns:keyprov:pskc}"
XENC = "{http://www.w3.org/2001/04/xmlenc#}"
_XENC, _XENC11 = "http://www.w3.org/2001/04/xmlenc#", "http://www.w3.org/2009/xmlenc11#"
_PBKDF2 = "http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#pbkdf2"
_HMAC = "http://www.w3.org/2000/09/xmldsig#hmac-sha1"
_MACS = {
    _HMAC: "sha1",
    "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256": "sha256",
    "http://www.w3.org/2001/04/xmldsig-more#hmac-sha512": "sha512",
}
_PRFS = {"": "sha1", "hmac-sha1": "sha1", "hmac-sha256": "sha256", "hmac-sha512": "sha512"}
_MOST_ITERATIONS = 10_000_000
_BLOCK = 16


def _cbc(key: bytes, data: bytes) -> bytes:
    if len(data) < 2 * _BLOCK or len(data) % _BLOCK:
        raise ValueError
    decryptor = Cipher(AES(key), CBC(data[:_BLOCK])).decryptor()
    padded = decryptor.update(data[_BLOCK:]) + decryptor.finalize()
    if not 1 <= padded[-1] <= _BLOCK:
        raise ValueError
    return padded[: -padded[-1]]


def _gcm(key: bytes, data: bytes) -> bytes:
    return AESGCM(key).decrypt(data[:12], data[12:], None)


# What each needs: the octets of its key, and how to open; what does not prove integrity by itself needs a MAC.
_CIPHERS: Mapping[str, tuple[int, Callable[[bytes, bytes], bytes], bool]] = {
    **{f"{_XENC}aes{bits}-cbc": (bits // 8, _cbc, False) for bits in (128, 192, 256)},
    **{f"{_XENC11}aes{bits}-gcm": (bits // 8, _gcm, True) for bits in (128, 192, 256)},
    **{f"{_XENC}kw-aes{bits}": (bits // 8, aes_key_unwrap, True) for bits in (128, 192, 256)},
}


@dataclass(frozen=True, slots=True)
class Opening:
    """What the operator gives to open a container: the pre-shared key, or the password."""

    key: bytes = b""
    password: str = ""


@dataclass(frozen=True, slots=True)
class Lock:
    """How the values of a container are opened and checked."""

    key: bytes
    mac_key: bytes
    mac: str

    def open(self, value: Element) -> bytes:
        """The plain octets of an element that has an ``EncryptedValue``; raises ``BadSeed``."""
        encrypted = need(value, f"{PSKC}EncryptedValue")
        octets = cipher_value(encrypted)
        whole = self._check(value, octets)
        plain, proves = _decrypt(self.key, encrypted, octets)
        if not (whole or proves):
            raise BadSeed(line_of(value), "The value has no ValueMAC, so nobody can tell whether it is whole.")
        return plain

    def _check(self, value: Element, octets: bytes) -> bool:
        told = value.find(f"{PSKC}ValueMAC")
        if told is None:
            return False
        if not self.mac:
            raise BadSeed(line_of(told), "The container has a ValueMAC but no MACMethod.")
        if not hmac.compare_digest(hmac.digest(self.mac_key, octets, self.mac), octets_of(told)):
            raise BadSeed(line_of(told), "The ValueMAC does not fit: another key or password, or the file was changed.")
        return True


def lock_of(container: Element, opening: Opening) -> Lock | None:
    """The lock of a container, None for one whose values are plain; raises ``BadSeed`` without its key or password."""
    encryption = container.find(f"{PSKC}EncryptionKey")
    if encryption is None:
        return None
    derived = encryption.find("{*}DerivedKey")
    key = opening.key if derived is None else _derive(derived, opening.password)
    if not key:
        what = "the password; give it with --password-file" if derived is not None else "the key; give it with --key"
        raise BadSeed(line_of(encryption), f"The file is encrypted and needs {what}.")
    method = container.find(f"{PSKC}MACMethod")
    if method is None:
        return Lock(key, b"", "")
    mac = _MACS.get(method.get("Algorithm", ""))
    if mac is None:
        raise BadSeed(line_of(method), "The MACMethod must be HMAC with SHA-1, SHA-256 or SHA-512.")
    own = method.find(f"{PSKC}MACKey")
    return Lock(key, key if own is None else _decrypt(key, own, cipher_value(own))[0], mac)


def _derive(derived: Element, password: str) -> bytes:
    method = need(derived, "{*}KeyDerivationMethod")
    if method.get("Algorithm") != _PBKDF2:
        raise BadSeed(line_of(method), "The key must be derived by PBKDF2.")
    salt, rounds = octets_of(need(method, ".//{*}Specified")), number_of(need(method, ".//{*}IterationCount"))
    length = number_of(need(method, ".//{*}KeyLength"))
    prf = method.find(".//{*}PRF")
    name = "" if prf is None else prf.get("Algorithm", "").rpartition("#")[2].lower()
    if not 1 <= rounds <= _MOST_ITERATIONS or length not in (16, 24, 32) or name not in _PRFS:
        raise BadSeed(line_of(method), "PBKDF2 must have 1 to 10000000 rounds, 16, 24 or 32 octets, and HMAC with SHA.")
    return hashlib.pbkdf2_hmac(_PRFS[name], password.encode(), salt, rounds, length) if password else b""


def _decrypt(key: bytes, encrypted: Element, octets: bytes) -> tuple[bytes, bool]:
    """What was encrypted, and whether the algorithm proves by itself that it is whole."""
    method = need(encrypted, f"{XENC}EncryptionMethod")
    size, decrypt, proves = _CIPHERS.get(method.get("Algorithm", ""), (0, _cbc, False))
    if not size:
        raise BadSeed(line_of(method), "The file must be encrypted by AES: CBC, GCM or key wrap.")
    if len(key) != size:
        raise BadSeed(line_of(method), f"The algorithm needs a key of {size} octets; this one has {len(key)}.")
    try:
        return decrypt(key, octets), proves
    except (ValueError, InvalidTag, InvalidUnwrap):
        raise BadSeed(line_of(method), "The value cannot be decrypted: another key, or the file was changed.") from None


def cipher_value(encrypted: Element) -> bytes:
    """The octets of a ``CipherValue``."""
    return octets_of(need(encrypted, f"{XENC}CipherData/{XENC}CipherValue"))


def need(parent: Element, path: str) -> Element:
    """The element at a path; raises ``BadSeed`` where it is absent."""
    found = parent.find(path)
    if found is None:
        raise BadSeed(line_of(parent), f"There is no {path.rpartition('}')[2]} here.")
    return found


def octets_of(element: Element) -> bytes:
    """The octets that an element holds in base64; raises ``BadSeed``."""
    try:
        return base64.b64decode("".join((element.text or "").split()), validate=True)
    except (binascii.Error, ValueError):
        raise BadSeed(line_of(element), "This must be base64.") from None


def number_of(element: Element) -> int:
    """The whole number that an element holds; raises ``BadSeed``."""
    text = (element.text or "").strip()
    if not (text.isascii() and text.removeprefix("-").isdecimal() and len(text) <= 12):
        raise BadSeed(line_of(element), "This must be a whole number.")
    return int(text)


def line_of(element: Element) -> int:
    """The line an element begins on."""
    return int(element.sourceline or 1)
