"""Our own keys: planned, published, activated, retired, followed by a running process, and their stragglers."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from idp.domain.keys import KeyStatus, KeyUse, KeyVersion
from idp.effects.keys import KeyFolder
from idp.lab.seed import seed
from idp.services.own_keys import lives as keys
from idp.services.own_keys.foresight import activation, retirement
from idp.services.own_keys.keyring import KeyRing
from idp.services.own_keys.lives import BadKey, Plan
from idp.services.own_keys.sightings import Sightings, stragglers
from idp.services.work import Office
from idp.store.engine import open_engine
from idp.store.keys import KeySighting, KeyVersionRow, columns_of
from idp.store.ledger import AuditEvent
from tests.office import StandingClock
from tests.services.conftest import OpenOffice
from tests.services.login_kit import register

SIGNING = KeyUse.SAML_SIGNING
WEEK, MONTH = timedelta(days=7), timedelta(days=30)


@dataclass
class House:
    """An office with a folder of keys of its own, and a second process that follows."""

    office: Office
    clock: StandingClock
    folder: KeyFolder
    path: Path

    @property
    def ring(self) -> KeyRing:
        """The keys as this process knows them."""
        assert isinstance(self.office.keys, KeyRing)
        return self.office.keys

    def plan(self, use: KeyUse = SIGNING, activates_at: datetime | None = None, publish: bool = True) -> KeyVersion:
        """A key that is to follow."""
        with self.office.work("test") as work:
            return keys.plan(work, self.folder, Plan(use, activates_at, publish))

    def activate(self, name: str, force: bool = False) -> KeyVersion:
        """Let it take over."""
        with self.office.work("test") as work:
            return keys.activate(work, name, force)

    def retire(self, name: str, force: bool = False) -> KeyVersion:
        """Let it go."""
        with self.office.work("test") as work:
            return keys.retire(work, name, force)

    def statuses(self, use: KeyUse = SIGNING) -> dict[str, KeyStatus]:
        """The status of every key of a use, by name."""
        with self.office.work("test") as work:
            return {one.name: one.status for one in keys.versions(work) if one.use is use}


@pytest.fixture
def house(database: str, open_office: OpenOffice, test_keys: Path, tmp_path: Path) -> Iterator[House]:
    """A house whose keys are files without any row, as in an installation of before."""
    folder = Path(shutil.copytree(test_keys, tmp_path / "own-keys"))
    clock = StandingClock()
    office = open_office(database, clock)
    store = KeyFolder(folder)
    ticks = iter(range(0, 10**6, 10))
    lookups = open_engine(database, 2, 10)
    ring = KeyRing(lookups, store, lambda: float(next(ticks)))
    values = {name: getattr(office, name) for name in Office.__slots__} | {"keys": ring}
    yield House(Office(**values), clock, store, folder)
    lookups.dispose()


def test_a_file_of_before_is_the_active_key(house: House) -> None:
    """A folder without rows goes on working, and its keys become the active ones of their uses."""
    first = house.ring.active(SIGNING).public.kid
    assert [one.kid for one in house.ring.published(SIGNING)] == [first]
    with house.office.work("test") as work:
        found = keys.versions(work)
    assert {(one.use, one.status) for one in found} == {(use, KeyStatus.ACTIVE) for use in KeyUse}
    house.ring.look()
    assert house.ring.active(SIGNING).public.kid == first


def test_a_key_waits_takes_over_and_goes(house: House) -> None:
    """Next is published but does not sign, then signs beside the old one, and at last stands alone (SEC-42)."""
    old = house.ring.active(SIGNING).public.kid
    new = house.plan()
    house.ring.look()
    assert house.ring.active(SIGNING).public.kid == old
    assert [one.kid for one in house.ring.published(SIGNING)] == [old, new.kid]
    assert house.ring.named(SIGNING, new.name) is house.ring.following(SIGNING)
    with pytest.raises(BadKey, match="publish_days"):
        house.activate(new.name)
    house.clock.move(WEEK)
    house.activate(new.name)
    house.ring.look()
    assert house.ring.active(SIGNING).public.kid == new.kid
    assert [one.kid for one in house.ring.published(SIGNING)] == [new.kid, old]
    with pytest.raises(BadKey, match="active"):
        house.retire(new.name)
    house.retire(old)
    house.ring.look()
    assert [one.kid for one in house.ring.published(SIGNING)] == [new.kid]
    assert house.ring.named(SIGNING, old[:16]) is house.ring.active(SIGNING)
    assert house.ring.named(SIGNING, "0" * 16) is None


def test_force_does_it_at_once_and_leaves_a_trace(house: House) -> None:
    """Who forces an activation can, and the chain tells that it was forced."""
    new = house.plan()
    house.activate(new.name, force=True)
    assert house.statuses()[new.name] is KeyStatus.ACTIVE
    with house.office.reading() as connection:
        told = [json.loads(one) for one in connection.execute(select(AuditEvent.facts)).scalars()]
    assert {"kid": new.kid, "use": SIGNING.value, "status": "forced"} in told


def test_the_way_back_is_open(house: House) -> None:
    """A superseded key can take over again, without waiting, as long as it is not retired."""
    old = house.ring.active(SIGNING).public.kid
    new = house.plan()
    house.activate(new.name, force=True)
    house.activate(old)
    assert house.statuses() == {old[:16]: KeyStatus.ACTIVE, new.name: KeyStatus.RETIRING}


def test_two_of_a_use_are_never_active(house: House) -> None:
    """The database itself refuses a second active key of a use (architecture 5)."""
    with house.office.work("test") as work:
        (first, *_) = keys.versions(work)
        second = columns_of(first) | {"id": work.new_id(), "kid": "f" * 64, "private_ref": "other"}
    with pytest.raises(IntegrityError), house.office.engine.begin() as connection:
        connection.execute(insert(KeyVersionRow).values(created_at=house.clock.now(), **second))


def test_a_second_key_does_not_wait_behind_the_first(house: House) -> None:
    """While one waits no other can be planned for the same use, but for another use it can."""
    house.plan()
    with pytest.raises(BadKey, match="already"):
        house.plan()
    assert house.plan(KeyUse.OIDC_EC).algorithm == "EC P-256"


def test_the_worker_keeps_the_dates(house: House) -> None:
    """A planned activation waits for its day and for publication, and the old key goes when its days are over."""
    old = house.ring.active(SIGNING).public.kid[:16]
    new = house.plan(activates_at=house.clock.now() + timedelta(days=2))
    seen = []
    for days in (1, 2, 5, 29, 2):
        house.clock.move(timedelta(days=days))
        with house.office.work("worker") as work:
            keys.keep_dates(work)
        seen.append(house.statuses())
    first, second = (
        {old: KeyStatus.ACTIVE, new.name: KeyStatus.NEXT},
        {old: KeyStatus.RETIRING, new.name: KeyStatus.ACTIVE},
    )
    assert seen == [first, first, second, second, {old: KeyStatus.RETIRED, new.name: KeyStatus.ACTIVE}]


def test_a_key_of_an_authority_is_told_of_with_its_certificate(house: House) -> None:
    """A key is held back until its certificate came; the certificate of another key is refused."""
    new = house.plan(publish=False)
    house.ring.look()
    assert house.ring.following(SIGNING) is None
    assert "CERTIFICATE REQUEST" in house.folder.request(new.private_ref, "test")
    with pytest.raises(BadKey, match="never published"):
        house.activate(new.name, force=True)
    with pytest.raises(ValueError, match="not for this key"):
        house.folder.certify(new.private_ref, SIGNING, house.ring.active(SIGNING).public.certificate.encode())
    certified = house.folder.certify(new.private_ref, SIGNING, new.certificate.encode()).public
    with house.office.work("test") as work:
        keys.publish(work, new.name, certified)
    house.ring.look()
    assert house.ring.following(SIGNING) is not None


def test_what_was_known_stays_when_a_key_cannot_be_read(house: House) -> None:
    """A file that is not on this machine is an error of the look, and never of a login."""
    old = house.ring.active(SIGNING).public.kid
    new = house.plan()
    (house.path / f"{new.private_ref}.key.pem").unlink()
    house.folder._parsed.clear()
    with pytest.raises(FileNotFoundError):
        house.ring.look()
    assert house.ring.active(SIGNING).public.kid == old


def test_new_key_files_are_ours_alone(house: House) -> None:
    """The private half of a new key can be read by its owner only (SEC-42)."""
    new = house.plan()
    assert (house.path / f"{new.private_ref}.key.pem").stat().st_mode & 0o777 == 0o600


def test_a_straggler_is_named_once_it_was_there_after_its_time(house: House) -> None:
    """Who asks at a superseded key's address is named, holds the key, and drops out once it learned."""
    seed(house.office, 7)
    party, sightings = register(house.office, "UWV"), Sightings()
    old = house.ring.active(SIGNING).public.kid[:16]
    new = house.plan()
    sightings.note(house.office, party.id, old, house.clock.now())
    house.clock.move(WEEK)
    house.activate(new.name)
    house.ring.look()
    with house.office.reading() as connection:
        assert stragglers(connection) == ()
    sightings.note(house.office, party.id, old, house.clock.now())
    with house.office.work("test") as work:
        (named,) = stragglers(work.connection)
        assert (named.identity, named.key, named.status) == (party.identity, old, KeyStatus.RETIRING)
        assert any(party.identity in one for one in retirement(work, keys.find(work, old)))
        assert any("takes over" in one for one in activation(work, keys.find(work, new.name)))
    with pytest.raises(BadKey, match="--force"):
        house.retire(old)
    sightings.note(house.office, party.id, new.name, house.clock.now())
    with house.office.reading() as connection:
        assert stragglers(connection) == ()
    house.retire(old)


def test_counting_writes_once_an_hour(house: House) -> None:
    """A hundred requests cost one write, and the next hour's write brings their number along."""
    seed(house.office, 7)
    party, sightings = register(house.office, "UWV"), Sightings()
    for _ in range(100):
        sightings.note(house.office, party.id, "", house.clock.now())
    assert _row(house) == (house.clock.now(), 1)
    house.clock.move(timedelta(hours=1))
    sightings.note(house.office, party.id, "", house.clock.now())
    assert _row(house) == (house.clock.now(), 101)


def test_a_count_that_cannot_be_written_costs_no_login(house: House) -> None:
    """A party that is gone is not counted, and nobody hears an error of it."""
    Sightings().note(house.office, "nobody", "", house.clock.now())
    with house.office.reading() as connection:
        assert connection.execute(select(KeySighting.party_id)).all() == []


def _row(house: House) -> tuple[datetime, int]:
    with house.office.reading() as connection:
        row = connection.execute(select(KeySighting.last_seen_at, KeySighting.requests)).one()
        return row.last_seen_at, row.requests
