"""Our own keys as this process knows them: taken over from the database when its version changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

from sqlalchemy import Engine, inspect, select

from idp.domain.keys import KeyStatus, KeyUse, KeyVersion, short_name
from idp.ports import KeyStore, PublicKey, SigningKey
from idp.store.keys import KeyVersionRow, read_versions
from idp.store.versions import KEYS, Version

_LOOK_EVERY = 5.0


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known at one version of the database."""

    version: int
    active: Mapping[KeyUse, SigningKey]
    published: Mapping[KeyUse, tuple[PublicKey, ...]]
    living: Mapping[KeyUse, tuple[SigningKey, ...]]
    following: Mapping[KeyUse, SigningKey]
    named: Mapping[tuple[KeyUse, str], SigningKey]


class KeyRing:
    """The keys of the table, read from a store; a use without any row has the one key of the store with its name.

    ``look`` asks the database every five seconds at most, and is called between requests: within one nothing changes
    under its feet, and what is slow (parsing a private key) is done by one thread while the others go on (SEC-42).
    """

    def __init__(self, engine: Engine, store: KeyStore, monotonic: Callable[[], float]) -> None:
        self._engine = engine
        self._store = store
        self._monotonic = monotonic
        self._lock = Lock()
        self._looked_at = float("-inf")
        self._known: _Known | None = None

    def look(self) -> int:
        """Take over what changed; raises what the database or the store raise, and then keeps what was known."""
        now = self._monotonic()
        if now - self._looked_at >= _LOOK_EVERY and self._lock.acquire(blocking=False):
            try:
                self._looked_at = now
                self._take_over()
            finally:
                self._lock.release()
        return self.version

    @property
    def version(self) -> int:
        """The version of what is known."""
        return self._now().version

    def active(self, use: KeyUse) -> SigningKey:
        """The key that signs now."""
        return self._now().active[use]

    def published(self, use: KeyUse) -> Sequence[PublicKey]:
        """Every public key that others should accept, the active one first."""
        return self._now().published[use]

    def living(self, use: KeyUse) -> Sequence[SigningKey]:
        """Every key that others may still know, the active one first: what is encrypted for a former one is read."""
        return self._now().living[use]

    def following(self, use: KeyUse) -> SigningKey | None:
        """The published key that is to become the active one, or None."""
        return self._now().following.get(use)

    def named(self, use: KeyUse, name: str) -> SigningKey | None:
        """The key with this short name; the active one in place of a retired one, None for a stranger's."""
        return self._now().named.get((use, name))

    def _now(self) -> _Known:
        known = self._known
        if known is None:
            with self._lock:
                known = self._known or self._take_over()
        return known

    def _take_over(self) -> _Known:
        with self._engine.connect().execution_options(read_only=True) as connection:
            number = 0
            versions: tuple[KeyVersion, ...] = ()
            # Before the first upgrade there is no table, and the keys are needed to tell that.
            if self._known is not None or inspect(connection).has_table(KeyVersionRow.__tablename__):
                number = connection.execute(select(Version.number).where(Version.name == KEYS)).scalar() or 0
                if self._known is not None and number == self._known.version:
                    return self._known
                versions = read_versions(connection)
        self._known = self._read(number, versions)
        return self._known

    def _read(self, number: int, versions: tuple[KeyVersion, ...]) -> _Known:
        living = {one: self._store.read(one.private_ref, one.use) for one in versions if _lives(one)}
        active = {one.use: key for one, key in living.items() if one.status is KeyStatus.ACTIVE}
        first = {use: self._store.read(use.value, use) for use in KeyUse if use not in active}
        active |= first
        return _Known(
            version=number,
            active=active,
            published={use: _published(use, active[use], living) for use in KeyUse},
            living={use: _living(use, active[use], living) for use in KeyUse},
            following={one.use: key for one, key in living.items() if one.published and one.status is KeyStatus.NEXT},
            named={(one.use, one.name): living.get(one, active[one.use]) for one in versions}
            | {(use, short_name(key.public.kid)): key for use, key in first.items()},
        )


def _lives(version: KeyVersion) -> bool:
    """Whether we sign with it when its address is used, or will."""
    return version.status is not KeyStatus.RETIRED and version.published_at is not None


def _living(use: KeyUse, active: SigningKey, living: Mapping[KeyVersion, SigningKey]) -> tuple[SigningKey, ...]:
    return (active, *(key for one, key in living.items() if one.use is use and key is not active))


def _published(use: KeyUse, active: SigningKey, living: Mapping[KeyVersion, SigningKey]) -> tuple[PublicKey, ...]:
    others = (key.public for one, key in living.items() if one.use is use and one.published and key is not active)
    return (active.public, *others)
