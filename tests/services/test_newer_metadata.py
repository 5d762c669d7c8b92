"""Newer metadata of a relying party: fetched with a pinned signature, compared, taken over or refused."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from idp.domain.parties import Party, Profile
from idp.lab.seed import seed
from idp.ports import Fetched, FetchFailed
from idp.protocols.saml.metadata.aggregate import only, pinned_keys
from idp.protocols.saml.metadata.description import described
from idp.protocols.saml.metadata.refresh import FILE, Intent, NotTaken, examine, refresh, refresh_due, take_over
from idp.protocols.saml.metadata.sp_metadata import of_party
from idp.protocols.saml.request.read import sender_of
from idp.protocols.saml.xmlsec.algorithms import SignatureMethod, check_signature
from idp.protocols.saml.xmlsec.signing import Signatory, sign
from idp.protocols.saml.xmlsec.xml import MD, Schemas, parse, serialise
from idp.services.relying_parties import parties
from idp.services.relying_parties.keys import Source, certificates, end_certificate, follow, source_of, unfollow
from idp.services.relying_parties.parties import NewParty
from idp.services.relying_parties.settings import BadParty
from idp.services.work import Office
from idp.store.ledger import AuditEvent
from tests.office import StandingClock
from tests.protocol.saml_messages import REDIRECT, SCHEME_METADATA, SP, Consumer, Published, fixed_key
from tests.protocol.xml_kit import SoftKey, rsa_key
from tests.services.conftest import OpenOffice

URL = "https://federation.example.test/metadata"
FEDERATION = rsa_key("federation")
OTHER = replace(Published(), entity_id="https://other.example.test/metadata")
SLO = "https://sp.example.test/slo"


def _logout(location: str, response: str = "") -> str:
    answers = f' ResponseLocation="{response}"' if response else ""
    return f'<md:SingleLogoutService Binding="{REDIRECT}" Location="{location}"{answers}/>'


BASE = Published(signing=("sp",), encryption=("sp-encryption",), logouts=_logout(SLO))


@dataclass
class World:
    """A registered party that is followed, and what its address holds."""

    office: Office
    clock: StandingClock
    held: bytes | None = None

    def get(self, url: str) -> Fetched:
        """What the address holds."""
        assert url == URL
        if self.held is None:
            raise FetchFailed(f"{url} cannot be fetched.")
        return Fetched(self.held, "application/samlmetadata+xml")

    @property
    def party(self) -> Party:
        """The party as it is now."""
        with self.office.work("test") as work:
            return parties.find(work, SP)

    def hold(self, *published: Published, by: SoftKey = FEDERATION, until: str = "") -> None:
        """Publish an aggregate."""
        self.held = aggregate(*published, by=by, until=until)

    def refresh(self, **intent: bool) -> list[tuple[str, bool]]:
        """Fetch, and tell what changes and whether it weakens."""
        newer = refresh(self.office, self.party, self, Intent(**intent))
        return [(one.subject, one.weaker) for one in newer.changes]

    def listed(self) -> dict[str, bool]:
        """The certificates that are known, by fingerprint, with whether the metadata still list them."""
        with self.office.reading() as connection:
            return {row.fingerprint: row.ends_at is None for row in certificates(connection, self.party.id)}

    def trouble(self) -> str:
        """How the last try failed."""
        with self.office.reading() as connection:
            row = source_of(connection, self.party.id)
        assert row is not None
        return str(row.trouble)


def aggregate(*published: Published, by: SoftKey = FEDERATION, until: str = "") -> bytes:
    """Entities in one document with one signature."""
    inside = "".join(one.xml().decode().replace('ID="_metadata"', "") for one in published)
    valid = f' validUntil="{until}"' if until else ""
    root = parse(f'<md:EntitiesDescriptor xmlns:md="{MD}" ID="_all"{valid}>{inside}</md:EntitiesDescriptor>'.encode())
    sign(root, Signatory(by))
    return serialise(root)


def _signed_by(key: SoftKey) -> bytes:
    """The metadata with another key to sign requests."""
    old, new = ("\n".join(one.public.certificate.splitlines()[1:-1]) for one in (fixed_key("sp"), key))
    text = BASE.xml().decode()
    assert old in text
    return text.replace(old, new).encode()


def ended(world: World, name: str) -> str:
    """Believe a certificate no more."""
    party = world.party
    with world.office.work("operator") as work:
        return end_certificate(work, party, name)


@pytest.fixture
def world(database: str, open_office: OpenOffice) -> World:
    """A party of UWV that was registered by file and is followed."""
    clock = StandingClock()
    office = open_office(database, clock)
    seed(office, 7)
    with office.work("test") as work:
        added = parties.add(work, described(BASE.xml(), ("UWV",), {}, None, clock.now()))
        follow(work, added.party, Source(URL, FEDERATION.public.certificate, 24))
    return World(office, clock)


def test_a_second_key_is_taken_over(world: World) -> None:
    """A key that metadata add counts at once beside the first (SEC-12)."""
    world.hold(OTHER, replace(BASE, signing=("sp", "sp-encryption")))
    assert world.refresh(dry_run=True) == [("signing certificate", False)]
    assert len(of_party(world.party).signing) == 1
    assert world.refresh() == [("signing certificate", False)]
    assert len(of_party(world.party).signing) == 2
    assert world.refresh() == []


def test_a_key_that_is_taken_out_counts_for_a_week(world: World) -> None:
    """Newer metadata with only the next certificate do not lock out requests by the former one (domain 6.1)."""
    first = of_party(world.party).signing[0].fingerprint
    world.hold(replace(BASE, signing=("own-signing",)))
    world.refresh()
    kept = {one.fingerprint: one for one in of_party(world.party).signing}
    assert kept[first].counts(world.clock.now() + timedelta(days=6))
    assert not kept[first].counts(world.clock.now() + timedelta(days=7))
    assert world.listed()[first] is False
    world.hold(BASE)
    world.refresh()
    assert world.listed()[first] is True


def test_a_stolen_key_is_ended_at_once(world: World) -> None:
    """An operator need not wait for the overlap; what the metadata list is ended by newer ones alone (SEC-12)."""
    (stolen,) = of_party(world.party).signing
    world.hold(BASE)
    world.refresh()
    with pytest.raises(BadParty, match="take over metadata without it"):
        ended(world, stolen.fingerprint)
    world.hold(replace(BASE, signing=("own-signing",)))
    world.refresh()
    assert len(sender_of(world.office, SP, world.clock.now()).keys) == 2
    assert ended(world, stolen.fingerprint[:12].upper()) == stolen.fingerprint
    assert len(sender_of(world.office, SP, world.clock.now()).keys) == 1
    world.clock.move(timedelta(days=1))
    assert ended(world, stolen.fingerprint) == stolen.fingerprint
    for strange in ("", "0000"):
        with pytest.raises(BadParty, match="idp providers keys"):
            ended(world, strange)


def test_many_changes_of_keys_lock_nobody_out(world: World) -> None:
    """However often a party changes its key within the overlap, its present key is believed, and the last ones."""
    keys = [rsa_key(f"roll-{number}") for number in range(10)]
    for key in keys:
        newer = examine(world.office, world.party, _signed_by(key), pinned=False)
        take_over(world.office, world.party, newer, FILE, accept_weaker=False)
        world.clock.move(timedelta(minutes=1))
    known = sender_of(world.office, SP, world.clock.now()).keys
    for key in keys[-1:-4:-1]:
        check_signature(SignatureMethod.RSA_SHA256, key.sign("rsa-sha256", b"request"), b"request", known)


@pytest.mark.parametrize(
    ("weaker", "subject"),
    [
        (replace(BASE, signing=()), "signing certificates"),
        (replace(BASE, encryption=()), "encryption certificates"),
        (replace(BASE, flags='AuthnRequestsSigned="false" WantAssertionsSigned="true"'), "AuthnRequestsSigned"),
        (replace(BASE, flags='AuthnRequestsSigned="true"'), "WantAssertionsSigned"),
        (replace(BASE, encryption=(), plain_use=("sp-encryption",)), "encryption of assertions"),
        (replace(BASE, consumers=(Consumer(location="http://sp.example.test/acs"),)), "AssertionConsumerService"),
        (replace(BASE, logouts=_logout("http://sp.example.test/slo")), "SingleLogoutService"),
        pytest.param(
            replace(BASE, logouts=_logout(SLO, "http://sp.example.test/answers")), "SingleLogoutService", id="answers"
        ),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_weakens_is_refused_and_recorded(world: World, weaker: Published, subject: str) -> None:
    """Weaker metadata change nothing, stand in the chain and at the source, and an operator may accept them."""
    world.hold(weaker)
    before = world.party.document
    with pytest.raises(NotTaken, match="accept-weaker"):
        world.refresh()
    assert world.party.document == before
    assert "weakens" in world.trouble()
    with world.office.reading() as connection:
        told = connection.execute(select(AuditEvent.facts).where(AuditEvent.event == "party.weakened")).scalars().all()
    assert [subject.replace(" ", "-") in json.loads(one)["changed"].split() for one in told] == [True]
    assert (subject, True) in world.refresh(accept_weaker=True)
    assert world.party.document != before
    assert world.trouble() == ""


@pytest.mark.parametrize(
    ("newer", "told"),
    [
        (_logout(SLO + "-2"), [(f"{REDIRECT} {SLO}", ""), ("", f"{REDIRECT} {SLO}-2")]),
        (_logout(SLO, SLO + "-2"), [(f"{REDIRECT} {SLO}", ""), ("", f"{REDIRECT} {SLO} {SLO}-2")]),
        ("", [(f"{REDIRECT} {SLO}", "")]),
        (_logout(SLO, SLO), []),
    ],
    ids=["moved", "answers apart", "gone", "the same in more words"],
)
def test_where_a_logout_goes_is_compared(world: World, newer: str, told: list[tuple[str, str]]) -> None:
    """Safe addresses of a logout that come, go or move are told and taken over (SEC-18)."""
    changes = examine(world.office, world.party, replace(BASE, logouts=newer).xml(), pinned=False).changes
    assert [(one.before, one.after) for one in changes] == told
    assert all((one.subject, one.weaker) == ("SingleLogoutService", False) for one in changes)
    world.hold(replace(BASE, logouts=newer))
    assert len(world.refresh()) == len(told)
    assert world.refresh() == []


def test_another_entity_never_takes_a_party_over(world: World) -> None:
    """A file of another entity is refused whatever is accepted."""
    newer = examine(world.office, world.party, OTHER.xml(), pinned=False)
    with pytest.raises(NotTaken, match="Another entity"):
        take_over(world.office, world.party, newer, FILE, accept_weaker=True)


_LASTING = replace(BASE, attributes='validUntil="2036-01-01T00:00:00Z"')


def grouped(published: Published, until: str) -> bytes:
    """An entity in a group of a larger whole; the group alone is over."""
    inside = published.xml().decode().replace('ID="_metadata"', "")
    group = f'<md:EntitiesDescriptor validUntil="{until}">{inside}</md:EntitiesDescriptor>'
    root = parse(f'<md:EntitiesDescriptor xmlns:md="{MD}" ID="_all">{group}</md:EntitiesDescriptor>'.encode())
    sign(root, Signatory(FEDERATION))
    return serialise(root)


_FORGED: dict[str, Callable[[World], bytes | None]] = {
    "away": lambda _: None,
    "not XML": lambda _: b"<html>",
    "unsigned": lambda _: BASE.xml(),
    "signed by another": lambda _: aggregate(BASE, by=rsa_key("attacker")),
    "changed after it was signed": lambda _: aggregate(BASE).replace(b'Location="https', b'Location="httpz'),
    "without the entity": lambda _: aggregate(OTHER),
    "with the entity twice": lambda _: aggregate(BASE, BASE),
    "over": lambda _: aggregate(BASE, until="2026-01-01T00:00:00Z"),
    "over, though the entity claims more": lambda _: aggregate(_LASTING, until="2026-01-01T00:00:00Z"),
    "over in a group": lambda _: grouped(_LASTING, until="2026-01-01T00:00:00Z"),
    "beyond use": lambda _: aggregate(replace(BASE, consumers=(Consumer(location="javascript:alert(1)"),))),
}


@pytest.mark.parametrize("case", _FORGED)
def test_the_last_good_ones_stay(world: World, case: str) -> None:
    """Whatever is wrong with what an address holds, nothing changes, and the worker tries again within the hour."""
    world.held = _FORGED[case](world)
    before = world.party.document
    found = refresh_due(world.office, world)
    assert list(found) == [SP]
    assert found[SP] == world.trouble() != ""
    assert world.party.document == before
    assert refresh_due(world.office, world) == {}
    world.clock.move(timedelta(hours=1))
    world.hold(replace(BASE, signing=("sp", "sp-encryption")))
    assert refresh_due(world.office, world) == {SP: "1 changes"}
    world.clock.move(timedelta(hours=23))
    assert refresh_due(world.office, world) == {}
    world.clock.move(timedelta(hours=1))
    assert list(refresh_due(world.office, world)) == [SP]


def test_an_address_is_registered_in_the_strict_reading(world: World) -> None:
    """The signature that was pinned is signature enough, and what is over is refused in either reading (domain 6.1)."""
    published = replace(SCHEME_METADATA, signed=False)
    pinned = pinned_keys(FEDERATION.public.certificate.encode())

    def registered(reading: str, until: str = "") -> NewParty:
        octets = only(aggregate(published, until=until), published.entity_id, pinned, Schemas.load())
        wishes = {"profile": Profile.EHERKENNING_113.value, "reading": reading}
        return described(octets, ("UWV",), wishes, None, world.clock.now(), pinned=True)

    for reading in ("strict", "lenient"):
        assert registered(reading).notes == ()
        with pytest.raises(BadParty, match=r"valid until 2026-01-01"):
            registered(reading, "2026-01-01T00:00:00Z")


def test_who_is_not_followed_is_not_fetched(world: World) -> None:
    """After unfollowing the worker leaves a party alone, and a refresh by hand says what to do."""
    party = world.party
    with world.office.work("test") as work:
        assert unfollow(work, party)
        assert not unfollow(work, party)
    assert refresh_due(world.office, world) == {}
    with pytest.raises(NotTaken, match="follow"):
        world.refresh()


def test_a_removed_party_takes_its_keys_along(world: World) -> None:
    """Certificates and address of a party that is removed are gone, so that it can be registered anew."""
    world.hold(replace(BASE, signing=("own-signing",)))
    world.refresh()
    gone = world.party.id
    with world.office.work("test") as work:
        parties.remove(work, SP)
        assert certificates(work.connection, gone) == []
        assert source_of(work.connection, gone) is None


def test_the_keys_of_the_kit_differ() -> None:
    """The certificates of these tests are three, so that a change of one is a change."""
    assert len({fixed_key(one).public.certificate for one in ("sp", "sp-encryption", "own-signing")}) == 3
