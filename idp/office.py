"""The composition root of the use cases: settings become an office. A command needs no more than this."""

import os
import time
from pathlib import Path

from idp.effects.clock import CLOCK_FILE, LabClock, SystemClock
from idp.effects.entropy import SystemEntropy
from idp.effects.keys import KeyFolder
from idp.effects.passwords import Argon2Passwords
from idp.effects.vault import VAULT_FILE, FileVault
from idp.ports import Clock
from idp.services.directory import Directory
from idp.services.own_keys.keyring import KeyRing
from idp.services.work import Office
from idp.settings import Settings, load
from idp.store.engine import open_engine

_LOOKUP_POOL = 2


def open_office(settings: Settings) -> Office:
    """Everything a use case needs, built once per process from the settings."""
    entropy = SystemEntropy()
    database = settings.database
    engine = open_engine(database.url, database.pool, database.statement_seconds)
    keys = Path(settings.keys.folder)
    lookups = open_engine(database.url, _LOOKUP_POOL, database.statement_seconds)
    share = max(settings.argon2.at_once // max(settings.server.workers, 1), 1)
    return Office(
        settings=settings,
        engine=engine,
        clock=_clock(settings),
        entropy=entropy,
        passwords=Argon2Passwords(settings.argon2, share),
        vault=FileVault(keys / VAULT_FILE, entropy),
        keys=KeyRing(lookups, KeyFolder(keys), time.monotonic),
        directory=Directory(lookups, time.monotonic),
    )


def inherited() -> Settings:
    """The settings of whoever started this process."""
    file = os.environ.get("IDP_CONFIG", "")
    return load(Path(file) if file else None)


def _clock(settings: Settings) -> Clock:
    return LabClock(Path(settings.paths.data) / CLOCK_FILE) if settings.lab.enabled else SystemClock()
