"""Synthetic accounts and relying parties in bulk, for measuring what growth costs."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select

from idp.lab import bulk_parties
from idp.lab.bulk_accounts import ACCOUNT, RESPONDER, Batch, add_accounts, id_of, username
from idp.services.second_factor.responders import mark_of
from idp.services.work import Office, Work
from idp.store.catalogue import ProviderRow, read_services
from idp.store.organisations import Organisation
from idp.store.people import Responder
from idp.store.versions import DIRECTORY, bump

PASSWORD = "Populatie2026"
SHOWN = 1000
_CHUNK = 5000
# KvK numbers of their own, apart from those of the world.
FIRST_KVK, _PAST_KVK = 20_000_000, 80_000_000
_MOST = _PAST_KVK - FIRST_KVK
Tell = Callable[[int, int], None]


class TooMany(Exception):
    """More accounts than there are KvK numbers for them; the text is one sentence."""


def populate(
    office: Office, accounts: int, providers: int, mandates: int, tell: Tell = lambda _done, _all: None
) -> dict[str, Any]:
    """Add synthetic accounts and relying parties; ``mandates`` are further ones for each account.

    ``tell`` hears how many rows of how many are written. Answers the document of the contract; raises ``TooMany``.
    """
    known_accounts, known_providers = _known(office)
    if known_accounts + accounts > _MOST:
        raise TooMany(f"There are KvK numbers for {_MOST} synthetic accounts only.")
    total = accounts + providers
    password_hash = office.passwords.hash(PASSWORD)
    for numbers in _chunks(known_accounts, accounts):
        with office.work("laboratory") as work:
            add_accounts(work, Batch(numbers, FIRST_KVK, password_hash, _extra_services(work, mandates)))
            work.connection.execute(insert(Responder), [_responder(work, number) for number in numbers])
        tell(numbers.stop - known_accounts, total)
    key = bulk_parties.shared_key(Path(office.settings.paths.data), office.clock.now())
    for numbers in _chunks(known_providers, providers):
        with office.work("laboratory") as work:
            for table, values in bulk_parties.rows(work, numbers, key):
                work.connection.execute(insert(table), values)
            bump(work.connection, DIRECTORY)
        tell(accounts + numbers.stop - known_providers, total)
    known = known_accounts + accounts
    return {
        "password": PASSWORD,
        "accounts": [
            {"username": username(number), "secret": secret(office, number)} for number in range(min(known, SHOWN))
        ],
        "accounts_total": known,
        "providers_total": known_providers + providers,
    }


def secret(office: Office, number: int) -> str:
    """The base32 secret of a synthetic account's responder: 160 bits that only this installation can derive."""
    return base64.b32encode(bytes.fromhex(office.vault.digest(str(number), "populate"))[:20]).decode()


def _chunks(known: int, more: int) -> list[range]:
    """The numbers to add, in ranges that one transaction writes."""
    last = known + more
    return [range(first, min(first + _CHUNK, last)) for first in range(known, last, _CHUNK)]


def _known(office: Office) -> tuple[int, int]:
    """How many synthetic accounts and providers there are already."""
    accounts = select(func.count()).where(Organisation.kvk.between(str(FIRST_KVK), str(_PAST_KVK)))
    providers = select(func.count()).where(ProviderRow.oin.like(f"{bulk_parties.OIN_PREFIX}%"))
    with office.reading() as connection:
        return connection.execute(accounts).scalar_one(), connection.execute(providers).scalar_one()


def _extra_services(work: Work, mandates: int) -> tuple[str, ...]:
    uuids = [*dict.fromkeys(str(service.uuid) for service in read_services(work.connection))] if mandates else []
    return tuple(uuids[place % len(uuids)] for place in range(mandates)) if uuids else ()


def _responder(work: Work, number: int) -> dict[str, Any]:
    serial = f"PO-{number:08d}"
    office = work.office
    return {
        "id": id_of(RESPONDER, work.now, number),
        "created_at": work.now,
        "serial": serial,
        "algorithm": "totp",
        "digits": 6,
        "period": 30,
        "secret": office.vault.seal(secret(office, number).encode(), f"responder:{serial}"),
        "mark": mark_of(office, base64.b32decode(secret(office, number))),
        "last_step": -1,
        "drift": 0,
        "status": "assigned",
        "account_id": id_of(ACCOUNT, work.now, number),
    }
