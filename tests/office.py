"""A real office for tests: real database, real keys, real hashing at its lowest cost, and a clock that stands still."""

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from idp.effects.entropy import SeededEntropy
from idp.effects.keys import KeyFolder, make_missing
from idp.effects.passwords import Argon2Passwords
from idp.effects.stationery import Stationery, stationery
from idp.effects.vault import FileVault
from idp.services.directory import Directory
from idp.services.own_keys.keyring import KeyRing
from idp.services.work import Office
from idp.settings import Settings, load
from idp.store.engine import open_engine
from idp.store.schema import upgrade

T0 = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)
# Somebody listens for certificates, so that EH4 is offered.
LISTENED: dict[str, object] = {
    "server__certificate_url": "https://localhost:8001",
    "certificates__roots": "roots.pem",
    "certificates__header": "X-Client-Certificate",
}


@dataclass
class StandingClock:
    """A clock that a test moves by hand."""

    moment: datetime = T0

    def now(self) -> datetime:
        """The instant it was left at."""
        return self.moment

    def move(self, by: timedelta) -> None:
        """Move it."""
        self.moment += by


class Never:
    """A monotonic clock that always lets the directory look again, so that a test sees its own changes."""

    def __init__(self) -> None:
        self._ticks = itertools.count()

    def __call__(self) -> float:
        """A second later at every look."""
        return float(next(self._ticks) * 10)


def make_keys(folder: Path) -> Path:
    """Keys and a master secret for a test run; RSA-2048, as a relying party's minimum."""
    make_missing(folder, 2048, "test", datetime.now(UTC))
    (folder / "vault.key").write_bytes(b"t" * 32)
    return folder


@cache
def parsed_keys(folder: Path) -> KeyFolder:
    """The keys of a folder, parsed once per run: checking an RSA key takes longer than most tests."""
    return KeyFolder(folder)


@cache
def writer(settings: Settings) -> Stationery:
    """What writes the mails of an office, made once per run: its texts are compiled at their first use."""
    return stationery(settings)


def open_test_office(
    url: str, keys: Path, clock: StandingClock | None = None, *, entropy: str = "office", **overrides: object
) -> Office:
    """An office on a database whose tables are brought up to date; ``overrides`` are settings as section__key.

    Two offices that write to one database at one moment need two seeds of ``entropy``, or they draw the same ids.
    """
    cheap = {"argon2.memory_kib": 64, "argon2.time": 1, "lab.enabled": True, "keys.folder": str(keys)}
    chosen = cheap | {name.replace("__", "."): value for name, value in overrides.items()} | {"database.url": url}
    settings = load(None, chosen, {})
    draws = SeededEntropy(entropy)
    engine = open_engine(url, 24, 10)
    upgrade(engine)
    lookups = open_engine(url, 2, 10)
    return Office(
        settings=settings,
        engine=engine,
        clock=clock or StandingClock(),
        entropy=draws,
        passwords=Argon2Passwords(settings.argon2, 2),
        vault=FileVault(keys / "vault.key", draws),
        keys=KeyRing(lookups, parsed_keys(keys), Never()),
        directory=Directory(lookups, Never()),
    )


def close(office: Office) -> None:
    """Give all connections of an office back."""
    office.engine.dispose()
    office.directory._engine.dispose()
