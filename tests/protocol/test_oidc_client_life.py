"""Clients that come by invitation, keep their keys elsewhere, and hear that sessions end; on both databases."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock
from typing import Any
from urllib.parse import parse_qs

import pytest
from sqlalchemy import func, select

from idp.ports import Fetched, FetchFailed
from idp.protocols.message import Document, HttpMessage
from idp.protocols.oidc.client.client import client_of
from idp.protocols.oidc.client.refresh import refresh_keys_due
from idp.protocols.oidc.client.registrar import Registrar
from idp.protocols.oidc.logout.herald import Herald
from idp.services.relying_parties import parties
from idp.services.relying_parties.keys import source_of
from idp.services.relying_parties.registrations import Invitation, invite
from idp.services.relying_parties.settings import BadParty
from idp.services.sessions.kept import end_all, find
from idp.services.sweep import sweep
from idp.settings import BadSettings, load
from idp.store.parcels import Parcel
from idp.store.tables import METADATA
from tests.protocol.oidc_kit import CALLBACK, Provider, RelyingParty, jwks
from tests.protocol.test_oidc_concurrency import at_once

BYE = "https://client.example.test/bye"
KEYS = "https://client.example.test/jwks"
HOUR = 3600


@dataclass
class Network:
    """What lies elsewhere: documents by address, and clients that take what is posted, or do not."""

    documents: dict[str, Any] = field(default_factory=dict)
    deaf: set[str] = field(default_factory=set)
    posted: list[tuple[str, str, bytes]] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def get(self, url: str) -> Fetched:
        """The document at an address."""
        if url not in self.documents:
            raise FetchFailed(f"{url} does not answer.")
        return Fetched(json.dumps(self.documents[url]).encode(), "application/json")

    def post(self, url: str, content_type: str, body: bytes) -> bytes:
        """Take a message."""
        with self.lock:
            self.posted.append((url, content_type, body))
        if url in self.deaf:
            raise FetchFailed(f"{url} answered with status 500.")
        return b""

    def tokens(self) -> list[str]:
        """The logout tokens that came."""
        return [parse_qs(body.decode())["logout_token"][0] for _, _, body in self.posted]


@pytest.fixture
def provider(database: str) -> Iterator[Provider]:
    """A provider on either database, where clients register by invitation."""
    made = Provider(database, **{"oidc.registration": "token"})
    yield made
    made.close()


@pytest.fixture
def network() -> Network:
    """What lies elsewhere."""
    return Network()


def register(provider: Provider, network: Network, token: str, **members: Any) -> Document:
    """Register a client with an initial access token."""
    body = json.dumps({"redirect_uris": [CALLBACK], **members}).encode()
    sent = {"authorization": f"Bearer {token}"}
    message = HttpMessage("POST", "/oidc/register", b"", body, "application/json", sent)
    return Registrar(network).register(provider.office, message, provider.clock.now())


def invitation(provider: Provider, services: str = "UWV") -> str:
    """A fresh initial access token."""
    with provider.office.work("operator") as work:
        return invite(work, Invitation((services,), "standard"), timedelta(hours=1))


def end_sessions(party: RelyingParty) -> str:
    """Let anna log in at a client, and end all she has; answers the sid of her session there."""
    provider, browser = party.provider, party.provider.log_in()
    told = provider.verified(party.tokens(browser)["id_token"])
    with provider.office.work("person") as work:
        kept = find(provider.office, work.connection, browser.session)
        assert kept is not None
        end_all(work, kept.account)
    return str(told["sid"])


def queued(provider: Provider) -> int:
    """How many messages wait."""
    with provider.office.reading() as connection:
        return int(connection.execute(select(func.count()).where(Parcel.status == "queued")).scalar_one())


@pytest.mark.parametrize(("registration", "word"), [("open", "laboratory"), ("maybe", "closed, token or open")])
def test_nobody_registers_freely_outside_the_laboratory(registration: str, word: str) -> None:
    """A server does not start with registration open to everybody, or with a word that means nothing."""
    with pytest.raises(BadSettings, match=word):
        load(None, {"oidc.registration": registration}, {})


def test_an_invitation_is_good_for_one(provider: Provider, network: Network) -> None:
    """Twenty at once with one initial access token: one client is registered (SEC-25)."""
    token = invitation(provider)
    answers = at_once(lambda _place: register(provider, network, token))
    assert sorted(one.status for one in answers) == [201] + [401] * 19


def test_an_invitation_ends(provider: Provider, network: Network) -> None:
    """After its hours it registers nobody; whom it does not let in makes us fetch nothing."""
    token = invitation(provider)
    provider.move(hours=2)
    assert register(provider, network, token, jwks_uri=KEYS).status == 401


def test_an_invitation_is_for_services_of_one_provider(provider: Provider) -> None:
    """Services of several providers, and unknown ones, are refused when the operator invites (RUL-10)."""
    for services in (("UWV", "OLO"), ("NOWHERE",), ()):
        with pytest.raises(BadParty), provider.office.work("operator") as work:
            invite(work, Invitation(services, "standard"), timedelta(hours=1))


def test_tokens_are_digests(provider: Provider, network: Network) -> None:
    """Neither token stands in the database, in whatever table (SEC-31)."""
    token = invitation(provider)
    told = json.loads(register(provider, network, token).body)
    secrets = (token, told["registration_access_token"], told["client_secret"])
    with provider.office.reading() as connection:
        for table in METADATA.sorted_tables:
            text = repr(connection.execute(select(table)).all())
            assert not any(secret in text for secret in secrets), table.name


def test_whatever_ends_sessions_tells_clients(provider: Provider, network: Network) -> None:
    """A new password or a withdrawn means ends all sessions, and the clients hear which (S-11)."""
    party = provider.register(backchannel_logout_uri=BYE)
    sid = end_sessions(party)
    assert Herald(provider.office, network).deliver_due() == {"sent": 1}
    ((url, kind, _),) = network.posted
    assert (url, kind) == (BYE, "application/x-www-form-urlencoded")
    assert provider.verified(network.tokens()[0])["sid"] == sid
    assert Herald(provider.office, network).deliver_due() == {}


def test_what_did_not_happen_is_not_told(provider: Provider) -> None:
    """The message is queued in the transaction that ends the session: without the one there is not the other."""
    party, browser = provider.register(backchannel_logout_uri=BYE), provider.log_in()
    party.tokens(browser)

    def fail() -> None:
        with provider.office.work("person") as work:
            kept = find(provider.office, work.connection, browser.session)
            assert kept is not None
            end_all(work, kept.account)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert queued(provider) == 0


def test_many_heralds_tell_once(provider: Provider, network: Network) -> None:
    """Twenty workers at once: the client hears once (SEC-25)."""
    end_sessions(provider.register(backchannel_logout_uri=BYE))
    heralds = [Herald(provider.office, network) for _ in range(20)]
    at_once(lambda place: Document(200, "", json.dumps(heralds[place].deliver_due()).encode()))
    assert len(network.posted) == 1


def test_a_client_that_never_answers(provider: Provider, network: Network) -> None:
    """It is told again ever more seldom, by tokens of their own, and given up after a day."""
    network.deaf = {BYE}
    end_sessions(provider.register(backchannel_logout_uri=BYE))
    herald, tries = Herald(provider.office, network), 0
    for _ in range(200):
        found = herald.deliver_due()
        tries += bool(found)
        if found == {"failed": 1}:
            break
        provider.move(minutes=15)
    assert found == {"failed": 1}
    assert 20 < tries < 60
    assert len(set(network.tokens())) == tries
    assert queued(provider) == 0


def test_an_unwell_client_holds_up_nobody(provider: Provider, network: Network) -> None:
    """Of two messages for a client that does not answer one is tried in a round; another client hears in it."""
    unwell, well = provider.register(backchannel_logout_uri=BYE), provider.register(backchannel_logout_uri=KEYS)
    network.deaf = {BYE}
    for party in (unwell, unwell, well):
        end_sessions(party)
    assert Herald(provider.office, network).deliver_due() == {"delayed": 1, "sent": 1}
    assert sorted(url for url, _, _ in network.posted) == sorted([BYE, KEYS])


def test_what_was_said_is_forgotten(provider: Provider, network: Network) -> None:
    """A day after a message arrived nothing of it is kept; what still waits is."""
    party = provider.register(backchannel_logout_uri=BYE)
    end_sessions(party)
    Herald(provider.office, network).deliver_due()
    end_sessions(party)
    provider.move(days=1, seconds=1)
    assert sweep(provider.office).farewells == 1
    assert queued(provider) == 1


def test_a_client_that_is_gone_is_not_told(provider: Provider, network: Network) -> None:
    """A message for a client that was removed is discarded."""
    party = provider.register(backchannel_logout_uri=BYE)
    end_sessions(party)
    with provider.office.work("operator") as work:
        parties.remove(work, party.client_id)
    assert Herald(provider.office, network).deliver_due() == {"discarded": 1}
    assert network.posted == []


def test_keys_elsewhere_are_refreshed(provider: Provider, network: Network) -> None:
    """Every hour, not sooner; what cannot be fetched or used leaves the last good keys, and is noted."""
    network.documents[KEYS] = jwks("ec")
    keyed = {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": KEYS}
    told = json.loads(register(provider, network, invitation(provider), **keyed).body)
    office = provider.office

    def look() -> tuple[list[str], str]:
        party = office.directory.party("oidc", told["client_id"])
        assert party is not None
        with office.reading() as connection:
            row = source_of(connection, party.id)
        assert row is not None
        return [str(one.kid) for one in client_of(party).keys], str(row.trouble)

    assert refresh_keys_due(office, network) == {told["client_id"]: "unchanged"}
    network.documents[KEYS] = jwks("ec", "rsa")
    assert refresh_keys_due(office, network) == {}
    assert look() == (["client-ec"], "")
    provider.move(seconds=HOUR + 1)
    refresh_keys_due(office, network)
    # Two kinds of keys leave it open by which algorithm the client signs (SEC-22).
    assert look()[0] == ["client-ec"]
    assert "token_endpoint_auth_signing_alg" in look()[1]
    network.documents[KEYS] = jwks("rsa")
    provider.move(seconds=HOUR + 1)
    assert refresh_keys_due(office, network) == {told["client_id"]: "changed"}
    assert look() == (["client-rsa"], "")
    del network.documents[KEYS]
    provider.move(seconds=HOUR + 1)
    refresh_keys_due(office, network)
    assert look()[0] == ["client-rsa"]
    assert "does not answer" in look()[1]
