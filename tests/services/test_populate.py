"""Bulk data: complete accounts and parties that work, at bulk speed, beside the world."""

from pathlib import Path

import pyotp
import pytest
from sqlalchemy import func, select

from idp.domain.assurance import Factor, Level
from idp.domain.decision import Asked, Granted, decide
from idp.lab.populate import SHOWN, TooMany, populate
from idp.lab.seed import reset, seed
from idp.protocols.oidc.client.client import client_of
from idp.protocols.saml.metadata.sp_metadata import of_party
from idp.services.decision.conclusion import dutch_day
from idp.services.work import Office
from idp.store.catalogue import PartyRow, read_parties, read_services
from idp.store.facts import ways_of
from idp.store.mandates import MandateRow
from idp.store.organisations import Organisation
from idp.store.people import Account, Responder
from tests.services.conftest import OpenOffice


@pytest.fixture
def office(database: str, open_office: OpenOffice, tmp_path: Path) -> Office:
    """An office whose database holds the world."""
    made = open_office(database, paths__data=str(tmp_path))
    seed(made, 7)
    return made


def test_accounts_log_in_at_eh3(office: Office) -> None:
    """Each account has the password, an EH3 means with a general mandate, and the responder whose secret is told."""
    made = populate(office, 1203, 0, 0)
    assert (made["accounts_total"], len(made["accounts"])) == (1203, SHOWN)
    told = made["accounts"][-1]
    with office.reading() as connection:
        account = connection.execute(select(Account).where(Account.username == told["username"])).one()
        device = connection.execute(select(Responder).where(Responder.account_id == account.id)).one()
        ways = ways_of(connection, account.id)
        services = read_services(connection)
    assert office.passwords.check(account.password_hash, made["password"])
    secret = office.vault.unseal(device.secret, f"responder:{device.serial}").decode()
    assert secret == told["secret"]
    assert pyotp.TOTP(secret).at(0)
    assert len(ways) == 1
    proven = frozenset({Factor.PASSWORD, Factor.OTP})
    for service in services:
        asked = Asked(service.target, service.level, service.chains)
        decision = decide(asked, ways[0].held, proven, dutch_day(office.clock.now()))
        assert isinstance(decision, Granted) is (service.level < Level.EH4)


def test_everyone_has_their_own_organisation(office: Office) -> None:
    """KvK numbers are unique, well formed and outside of the world's, and a second filling goes on after the first."""
    populate(office, 30, 0, 0)
    made = populate(office, 20, 0, 0)
    assert made["accounts_total"] == 50
    assert len({one["username"] for one in made["accounts"]}) == 50
    assert len({one["secret"] for one in made["accounts"]}) == 50
    with office.reading() as connection:
        numbers = connection.execute(select(Organisation.kvk).where(Organisation.kvk < "90000000")).scalars().all()
    assert len(set(numbers)) == 50
    assert all(len(number) == 8 and number.isdecimal() for number in numbers)


def test_further_mandates(office: Office) -> None:
    """Asked for, each account gets so many service mandates beside its general one."""
    with office.reading() as connection:
        before = connection.execute(select(func.count()).select_from(MandateRow)).scalar_one()
    populate(office, 10, 0, 3)
    with office.reading() as connection:
        after = connection.execute(select(func.count()).select_from(MandateRow)).scalar_one()
    assert after - before == 10 * 4


def test_parties_can_be_read_by_their_protocols(office: Office) -> None:
    """Each provider has a service and a party whose metadata or registration its protocol accepts."""
    made = populate(office, 0, 9, 0)
    assert made["providers_total"] == 9
    with office.reading() as connection:
        parties = read_parties(connection)
    assert len({party.provider.oin for party in parties}) == 9
    for party in parties:
        if party.protocol == "saml":
            metadata = of_party(party)
            assert metadata.entity_id == party.identity
            assert party.service(metadata.services[0].index) == party.default_service
            assert metadata.signing
        else:
            assert client_of(party).keys
        assert office.directory.party(party.protocol, party.identity) == party
    assert populate(office, 0, 1, 0)["providers_total"] == 10


def test_progress_is_told(office: Office) -> None:
    """Whoever waits hears how far it is, up to the end."""
    heard: list[tuple[int, int]] = []
    populate(office, 6000, 5, 0, lambda done, total: heard.append((done, total)))
    assert [done for done, _ in heard] == [5000, 6000, 6005]
    assert {total for _, total in heard} == {6005}


def test_a_reset_drops_accounts_and_keeps_parties(office: Office) -> None:
    """A reset is linear in what it drops, leaves the world alone, and registered parties stay."""
    populate(office, 5000, 3, 0)
    reset(office)
    with office.reading() as connection:
        assert connection.execute(select(func.count()).select_from(Account)).scalar_one() == 30
        assert connection.execute(select(func.count()).select_from(PartyRow)).scalar_one() == 3
    assert populate(office, 0, 0, 0)["accounts_total"] == 0


def test_there_is_an_end(office: Office) -> None:
    """More accounts than numbers are refused in a sentence before anything is written."""
    with pytest.raises(TooMany, match="KvK numbers"):
        populate(office, 70_000_000, 0, 0)
