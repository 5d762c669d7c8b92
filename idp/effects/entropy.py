"""Randomness: of the system, or of a seed so that a test sees the same bytes again."""

import hashlib
import secrets
from itertools import count


class SystemEntropy:
    """The system's randomness (SEC-34)."""

    def bytes(self, length: int) -> bytes:
        """So many unpredictable bytes."""
        return secrets.token_bytes(length)


class SeededEntropy:
    """The same bytes for the same seed; never for anything that must be secret."""

    def __init__(self, seed: str) -> None:
        self._seed = seed.encode()
        self._blocks = count()

    def bytes(self, length: int) -> bytes:
        """The next bytes of the sequence."""
        made = b""
        while len(made) < length:
            made += hashlib.sha256(self._seed + next(self._blocks).to_bytes(8, "big")).digest()
        return made[:length]
