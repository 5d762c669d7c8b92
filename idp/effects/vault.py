"""Sealing with AES-GCM and keyed digests, all from one master secret in a file."""

import hashlib
import hmac
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from idp.ports import Entropy

# The file of the master secret in the folder of keys.
VAULT_FILE = "vault.key"
_NONCE = 12


class FileVault:
    """A vault whose master secret (32 bytes) lies in a file that only we can read."""

    def __init__(self, file: Path, entropy: Entropy) -> None:
        master = file.read_bytes()
        if len(master) != 32:
            raise ValueError(f"{file.name} must hold 32 bytes")
        self._entropy = entropy
        self._seal = AESGCM(_derive(master, "seal"))
        self._digest = _derive(master, "digest")
        self._pseudonym = _derive(master, "pseudonym")

    def seal(self, plain: bytes, context: str) -> bytes:
        """The sealed form, bound to its context."""
        nonce = self._entropy.bytes(_NONCE)
        return nonce + self._seal.encrypt(nonce, plain, context.encode())

    def unseal(self, sealed: bytes, context: str) -> bytes:
        """The plain form; raises ``ValueError`` when it was tampered with or belongs elsewhere."""
        try:
            return self._seal.decrypt(sealed[:_NONCE], sealed[_NONCE:], context.encode())
        except InvalidTag:
            raise ValueError("not sealed here for this") from None

    def digest(self, secret: str, purpose: str) -> str:
        """The keyed digest of a secret, 64 hex characters."""
        return hmac.digest(self._digest, f"{purpose}\x1f{secret}".encode(), "sha256").hex()

    def pseudonym_secret(self) -> bytes:
        """The key that mints pseudonyms."""
        return self._pseudonym


def make_master(file: Path, entropy: Entropy) -> None:
    """Write a new master secret that only the owner can read (SEC-42)."""
    file.touch(mode=0o600)
    file.write_bytes(entropy.bytes(32))


def _derive(master: bytes, use: str) -> bytes:
    return hmac.new(master, f"idp-vault:{use}".encode(), hashlib.sha256).digest()
