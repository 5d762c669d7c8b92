"""Parties and services as this process knows them: read when first needed, dropped when the database changed."""

from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

from sqlalchemy import Engine, select

from idp.domain.parties import Party, Service
from idp.store.catalogue import read_party, read_party_by_id, read_resolving, read_services
from idp.store.versions import DIRECTORY, Version

Parsed = TypeVar("Parsed")
_LOOK_EVERY = 1.0
_MOST_KEPT = 2000


class Directory:
    """A cache of immutable values over the catalogue and the parties.

    The database's version is looked at once a second at most, so that a change is seen within two seconds on every
    worker (contract: ``idp providers``). What is kept is bounded, so that cost and memory stay flat as parties grow.
    The engine is its own: whoever asks may hold a connection already, and must not wait for a second one.
    """

    def __init__(self, engine: Engine, monotonic: Callable[[], float]) -> None:
        self._engine = engine
        self._monotonic = monotonic
        self._lock = Lock()
        self._looked_at = float("-inf")
        self._version = -1
        self._kept: dict[tuple[Any, ...], Any] = {}

    def party(self, protocol: str, identity: str) -> Party | None:
        """The relying party with this entity ID or client ID, or None."""
        found: Party | None = self._keep(
            ("party", protocol, identity), lambda: self._read(read_party, protocol, identity)
        )
        return found

    def party_by_id(self, party_id: str) -> Party | None:
        """The relying party with this id of ours, or None."""
        found: Party | None = self._keep(("id", party_id), lambda: self._read(read_party_by_id, party_id))
        return found

    def source(self, name: Callable[[str], bytes], source: bytes) -> str | None:
        """The entity ID that ``name`` makes this SourceID of, among parties with a resolution service of their own."""
        found: dict[bytes, str] = self._keep(
            ("sources", name), lambda: {name(one): one for one in self._read(read_resolving)}
        )
        return found.get(source)

    def services(self) -> tuple[Service, ...]:
        """The whole catalogue, in the order of providers and services."""
        found: tuple[Service, ...] = self._keep(("services",), lambda: self._read(read_services))
        return found

    def parsed(self, party: Party, make: Callable[[Party], Parsed]) -> Parsed:
        """What ``make`` reads from a party's document, made once per version of the party."""
        found: Parsed = self._keep(("parsed", make, party.id, party.version), lambda: make(party))
        return found

    def made(self, name: str, mark: object, make: Callable[[tuple[Service, ...]], Parsed]) -> Parsed:
        """What ``make`` writes of the whole catalogue, made once per version of it and again for another ``mark``."""
        key = ("made", name)
        kept = self._keep(key, lambda: (mark, make(self.services())))
        if kept[0] != mark:
            with self._lock:
                self._kept.pop(key, None)
            kept = self._keep(key, lambda: (mark, make(self.services())))
        found: Parsed = kept[1]
        return found

    def version(self) -> int:
        """The version of what is known; it changes with every change to parties or catalogue."""
        now = self._monotonic()
        if now - self._looked_at >= _LOOK_EVERY:
            self._looked_at = now
            with self._engine.connect().execution_options(read_only=True) as connection:
                found = connection.execute(select(Version.number).where(Version.name == DIRECTORY)).scalar() or 0
            if found != self._version:
                with self._lock:
                    self._version, self._kept = found, {}
        return self._version

    def _keep(self, key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        self.version()
        kept = self._kept
        if key not in kept:
            made = make()
            if made is None:
                return None
            with self._lock:
                if len(kept) >= _MOST_KEPT:
                    kept.pop(next(iter(kept)), None)
                kept[key] = made
            return made
        return kept.get(key)

    def _read(self, read: Callable[..., Any], *arguments: str) -> Any:
        with self._engine.connect().execution_options(read_only=True) as connection:
            return read(connection, *arguments)
