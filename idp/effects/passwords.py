"""Argon2id in a bounded lane, so that hashing can never occupy all of us (SEC-39, RUL-22)."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from idp.ports import Overloaded
from idp.settings import Argon2

_RETRY_AFTER = 2


class Argon2Passwords:
    """Hashes and checks; ``share`` is how many may run at once in this process."""

    def __init__(self, rules: Argon2, share: int) -> None:
        self._hasher = PasswordHasher(rules.time, rules.memory_kib, rules.lanes, type=Type.ID)
        self._running = BoundedSemaphore(share)
        self._admitted = BoundedSemaphore(share + rules.waiting)
        # What an unknown account is checked against: the cost is that of a known one (SEC-27).
        self._nobody = self._hasher.hash("nobody")

    def hash(self, password: str) -> str:
        """A new hash; raises ``Overloaded``."""
        with self._lane():
            return self._hasher.hash(password)

    def check(self, stored: str | None, password: str) -> bool:
        """Whether the password is right; an unknown account costs the same; raises ``Overloaded``."""
        with self._lane():
            try:
                self._hasher.verify(stored or self._nobody, password)
            except (VerificationError, InvalidHashError):
                return False
        return stored is not None

    def outdated(self, stored: str) -> bool:
        """Whether today's parameters are others than those of the hash."""
        return self._hasher.check_needs_rehash(stored)

    @contextmanager
    def _lane(self) -> Iterator[None]:
        if not self._admitted.acquire(blocking=False):
            raise Overloaded(_RETRY_AFTER)
        try:
            with self._running:
                yield
        finally:
            self._admitted.release()
