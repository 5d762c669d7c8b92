"""A database of before a service was an instance: everything in it goes on."""

import json
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, insert, select, text, update

from idp.domain.audit import Event
from idp.domain.parties import Service
from idp.lab.seed import seed
from idp.services.account.activity import deeds
from idp.services.authentication.login import Gone, Missing, Waiting
from idp.services.work import Office, Work
from idp.store.catalogue import PartyService
from idp.store.devices import DeviceRow
from idp.store.grants import GrantRow
from idp.store.logins import LoginRow
from idp.store.people import Account
from idp.store.schema import _config, differences, upgrade
from tests.services.conftest import OpenOffice
from tests.services.login_kit import Person, ask, register
from tests.services.portal_kit import BEHIND, catalogue, open_portal

_ASKING = (LoginRow, GrantRow, DeviceRow)


@pytest.fixture
def office(database: str, open_office: OpenOffice) -> Office:
    """An office whose database holds the world."""
    made = open_office(database)
    seed(made, 7)
    return made


def account_of(office: Office, username: str) -> str:
    """The id of a persona's account."""
    with office.reading() as connection:
        return str(connection.execute(select(Account.id).where(Account.username == username)).scalar_one())


def keep(work: Work, request: str, party: str, account: str) -> None:
    """A grant and a waiting device that asked what a login did."""
    common = {"created_at": work.now, "party_id": party, "request": request}
    granted = {"assertion": "{}", "refreshable": True, "code_digest": "c", "code_expires_at": work.now}
    grant = common | granted | {"id": work.new_id(), "account_id": account}
    work.connection.execute(insert(GrantRow).values(grant))
    codes = {"device_digest": "d", "user_digest": "u", "expires_at": work.now, "next_poll_at": work.now}
    work.connection.execute(
        insert(DeviceRow).values(common | codes | {"id": work.new_id(), "interval": 5, "ended": ""})
    )


def stored(connection: Connection) -> list[Any]:
    """What the database says about who asks for which service."""
    asked = [connection.execute(select(table.request)).scalars().all() for table in _ASKING]
    links = connection.execute(select(PartyService.instance_uuid).order_by(PartyService.place)).scalars().all()
    led_to = connection.execute(text("SELECT slug, portal_for FROM service ORDER BY slug")).all()
    return [asked, links, led_to]


def test_what_was_asked_by_definition_goes_on_by_instance(office: Office) -> None:
    """domain 5.1: parties, portals, open logins, grants and devices of before name the one instance that there was."""
    portal = open_portal(office)
    party = register(office, portal.slug)
    anna = Person(office, "anna")
    waiting = anna.begin(ask(party))
    assert isinstance(waiting, Waiting)
    with office.work("test") as work:
        request = work.connection.execute(select(LoginRow.request)).scalar_one()
        keep(work, request, party.id, account_of(office, "anna"))
    with office.reading() as connection:
        now = stored(connection)
    with office.engine.connect() as connection, connection.begin():
        command.downgrade(_config(connection), "0011")
        assert [one.uuid for one in (portal,)] == asked_before(connection)
        behind = [catalogue()[slug].uuid for slug in BEHIND]
        led_to = connection.execute(text("SELECT portal_for FROM service WHERE slug = 'MIJN-RVO'")).scalar_one()
        assert led_to == ",".join(behind)
        linked = connection.execute(text("SELECT service_uuid FROM party_service")).scalars().all()
        assert linked == [portal.uuid]
    assert upgrade(office.engine)
    assert differences(office.engine) == []
    with office.reading() as connection:
        assert stored(connection) == now
    again = anna.look(waiting.login.id)
    assert isinstance(again, Waiting)
    assert again.login.asked.service == portal.instance_uuid


def asked_before(connection: Connection) -> list[str]:
    """Which services the former rows name, each once."""
    found = [text(f"SELECT request FROM {table.__tablename__}") for table in _ASKING]  # names of ours
    return sorted({json.loads(one)["service"] for query in found for one in connection.execute(query).scalars()})


@pytest.mark.parametrize("which", ["uuid", "instance_uuid"])
def test_what_was_recorded_still_shows_its_service(office: Office, which: str) -> None:
    """The chain is append only, so a deed of before names the definition; the page shows the service all the same."""
    service: Service = catalogue()["RVO-3"]
    party, account = register(office, "RVO-3"), account_of(office, "anna")
    with office.work("test") as work:
        work.record(Event.LOGIN_GRANTED, party=party.id, service=getattr(service, which), account=account)
    with office.reading() as connection:
        (deed,) = deeds(office, connection, account)
    assert deed.service == service.name


def test_a_login_for_a_service_that_its_party_lacks_is_begun_anew(office: Office) -> None:
    """SEC-2: a login that names what its party does not have is unknown, as one that never was."""
    party = register(office, "RVO-3")
    anna = Person(office, "anna")
    waiting = anna.begin(ask(party))
    assert isinstance(waiting, Waiting)
    with office.work("test") as work:
        request = json.loads(work.connection.execute(select(LoginRow.request)).scalar_one())
        changed = json.dumps(request | {"service": catalogue()["UWV"].instance_uuid})
        work.connection.execute(update(LoginRow).values(request=changed))
    assert anna.look(waiting.login.id) == Missing(Gone.UNKNOWN)
    assert anna.identify(waiting.login.id) == Missing(Gone.UNKNOWN)
