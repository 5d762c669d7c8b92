"""Which relying party asks at the address of which key of ours, so that those with old metadata can be named."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import SQLAlchemyError

from idp.domain.keys import KeyStatus, KeyUse, KeyVersion
from idp.services.work import Office
from idp.store.catalogue import PartyRow
from idp.store.keys import KeySighting, read_versions
from idp.store.merge import keep

_WRITE_EVERY = timedelta(hours=1)
# Until then a worker may give out the metadata of before.
_FOLLOWED_WITHIN = timedelta(minutes=1)
_TRY_AGAIN = timedelta(minutes=1)
_MOST_KEPT = 10_000
_NEW = keep(KeySighting, "party_id", "key")


@dataclass(slots=True)
class _Seen:
    written_at: datetime
    version: int
    waiting: int


class Sightings:
    """Counts in memory and writes a party and key once an hour per process: a login pays for none of it.

    After a change of our keys the next sighting is written at once, so that a straggler is named without delay.
    """

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], _Seen] = {}
        self._lock = Lock()

    def note(self, office: Office, party: str, key: str, now: datetime) -> None:
        """A party asked at the address of the key with this short name, empty for the address without one."""
        version = office.keys.version
        with self._lock:
            seen = self._seen.get((party, key))
            if seen is not None and seen.version == version and abs(now - seen.written_at) < _WRITE_EVERY:
                seen.waiting += 1
                return
            count = 1 + (seen.waiting if seen is not None else 0)
            if len(self._seen) >= _MOST_KEPT:
                self._seen.pop(next(iter(self._seen)))
            self._seen[party, key] = _Seen(now, version, 0)
        try:
            _write(office, (party, key), now, count)
        except SQLAlchemyError:
            # A count is worth no login; a minute later it is tried again.
            with self._lock:
                self._seen[party, key] = _Seen(now - _WRITE_EVERY + _TRY_AGAIN, version, count)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A party at the address of a key of ours.

    ``status`` is that of the key, None for the address without a name. ``counts`` tells that it works with old
    metadata: it was there after the key was superseded, and after it was first at the active key, if it ever was.
    ``current_at`` is when it was last at that one.
    """

    party: str
    identity: str
    name: str
    key: str
    status: KeyStatus | None
    first_seen_at: datetime
    last_seen_at: datetime
    requests: int
    counts: bool
    current_at: datetime | None

    def since(self, now: datetime) -> timedelta:
        """How long ago it was last there."""
        return now - self.last_seen_at


def key_known_to(connection: Connection, party: str) -> str:
    """The short name of the key at whose address a party was last; empty for the address without one, or for nobody."""
    latest = select(KeySighting.key).where(KeySighting.party_id == party).order_by(KeySighting.last_seen_at.desc())
    return connection.execute(latest.limit(1)).scalar() or ""


def stragglers(connection: Connection) -> tuple[Sighting, ...]:
    """The parties that were at the address of a key after it was superseded, the latest first."""
    return tuple(one for one in sightings(connection) if one.counts)


def sightings(connection: Connection) -> tuple[Sighting, ...]:
    """Every party at every address it was seen at, the latest first."""
    keys = {one.name: one for one in read_versions(connection) if one.use is KeyUse.SAML_SIGNING}
    rows = connection.execute(
        select(KeySighting, PartyRow.identity, PartyRow.name)
        .join(PartyRow, PartyRow.id == KeySighting.party_id)
        .order_by(KeySighting.last_seen_at.desc(), PartyRow.identity)
    ).all()
    current = {one.party_id: one for one in rows if _status(keys, one.key) is KeyStatus.ACTIVE}
    return tuple(
        Sighting(
            party=row.party_id,
            identity=row.identity,
            name=row.name,
            key=row.key,
            status=_status(keys, row.key),
            first_seen_at=row.first_seen_at,
            last_seen_at=row.last_seen_at,
            requests=row.requests,
            counts=_is_late(keys.get(row.key), row.last_seen_at, now.first_seen_at if now else None),
            current_at=now.last_seen_at if now else None,
        )
        for row in rows
        for now in (current.get(row.party_id),)
    )


def as_data(one: Sighting) -> dict[str, str | int | None]:
    """A sighting as plain data."""
    return {
        "party": one.party,
        "entity_id": one.identity,
        "name": one.name,
        "key": one.key,
        "status": None if one.status is None else one.status.value,
        "first_seen": one.first_seen_at.isoformat(),
        "last_seen": one.last_seen_at.isoformat(),
        "requests": one.requests,
        "last_seen_at_active_key": None if one.current_at is None else one.current_at.isoformat(),
    }


def _status(keys: Mapping[str, KeyVersion], name: str) -> KeyStatus | None:
    return keys[name].status if name in keys else None


def _is_late(key: KeyVersion | None, seen_at: datetime, knew_at: datetime | None) -> bool:
    if key is None or key.superseded_at is None or seen_at < key.superseded_at:
        return False
    return knew_at is None or seen_at > knew_at + _FOLLOWED_WITHIN


def _write(office: Office, where: tuple[str, str], now: datetime, count: int) -> None:
    party, key = where
    with office.engine.begin() as connection:
        values = {"party_id": party, "key": key, "first_seen_at": now, "last_seen_at": now, "requests": count}
        if _NEW.one(connection, **values) is None:
            connection.execute(
                update(KeySighting)
                .where(KeySighting.party_id == party, KeySighting.key == key)
                .values(last_seen_at=now, requests=KeySighting.requests + count)
            )
