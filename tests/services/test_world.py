"""The invented world: every cell is what the decision says, on both databases, also after a reset."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, update

from idp.domain.assurance import Factor, Level
from idp.domain.identifiers import KvkNumber, Rsin
from idp.domain.login import LoginRequest, Progress, Step
from idp.domain.means import MeansStatus
from idp.domain.parties import Party, PartySettings, Profile, Service
from idp.domain.passwords import CLASSIC, faults
from idp.domain.reasons import Reason
from idp.effects.clock import LabClock
from idp.lab import authority
from idp.lab.clock import start
from idp.lab.seed import reset, seed, seeded
from idp.lab.world import GRANTED, LOCKED, Persona, day, read
from idp.services.audit import verify
from idp.services.decision.conclusion import stand
from idp.services.relying_parties.parties import NewParty, add
from idp.services.tickets import Held, Purpose, first_use, issue, redeem
from idp.services.work import Office, Work
from idp.store.catalogue import read_services
from idp.store.means import Means, Pseudonym
from idp.store.organisations import Organisation
from idp.store.people import Account, Person, Responder
from tests.office import LISTENED, T0, StandingClock
from tests.services.conftest import OpenOffice

_BEYOND_THE_TABLE = 9
_PROVEN_BY = {Step.CODE: Factor.OTP, Step.CERTIFICATE: Factor.CERTIFICATE}
# Nobody of the world is refused for these: a person cancels, and a wrong certificate may be followed by the right one.
_OF_THE_MOMENT = {Reason.CANCELLED.value, Reason.CERTIFICATE_REFUSED.value}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as ``idp demo`` prepares it, with the authority that rosa's certificate comes from."""
    authority.make(tmp_path / authority.FOLDER, "http://localhost:8000", T0)
    return tmp_path


@pytest.fixture
def office(database: str, open_office: OpenOffice, folder: Path) -> Office:
    """An office whose database holds the world."""
    made = open_office(database, paths__data=str(folder), **LISTENED)
    seed(made, 7)
    return made


def told(work: Work, persona: Persona, service: Service) -> tuple[str, ...]:
    """What a login of a persona comes to when every factor it has is proven: granted, or the reasons."""
    account = work.connection.execute(select(Account.id).where(Account.username == persona.id)).scalar_one()
    party = Party("p", "saml", "urn:p", "p", service.provider, PartySettings(Profile.GENERIC), ((1, service),), "", 1)
    asked = LoginRequest("saml", "p", service.instance_uuid, service.level)
    factors = frozenset({Factor.PASSWORD})
    standing = stand(work, party, asked, Progress(account, factors, work.now))
    if standing.step in _PROVEN_BY:
        standing = stand(work, party, asked, Progress(account, factors | {_PROVEN_BY[standing.step]}, work.now))
    if standing.refused is not None:
        return standing.refused.reasons
    assert standing.step in (Step.ANSWER, Step.CHOOSE)
    return (GRANTED,)


def cells(office: Office) -> dict[tuple[str, str], str]:
    """The first thing every persona is told at every service, as the database has it."""
    world = read()
    with office.work("test") as work:
        services = {one.slug: one for one in read_services(work.connection)}
        return {
            (persona.id, slug): told(work, persona, services[slug])[0]
            for persona in world.personas
            for slug in world.services
        }


def stated() -> dict[tuple[str, str], str]:
    """The cells as the world's file states them; a lock lies outside of the decision and counts as granted."""
    return {
        (persona.id, slug): GRANTED if cell == LOCKED else cell
        for persona in read().personas
        for slug, cell in persona.expected.items()
    }


def test_every_cell_is_what_the_decision_says(office: Office) -> None:
    """The 147 cells of the rulings and those of the further personas equal the decision, cell by cell."""
    assert cells(office) == stated()
    assert len(stated()) == 7 * (21 + _BEYOND_THE_TABLE)


def test_cells_hold_after_a_reset(office: Office) -> None:
    """Whatever happened to the world, a reset makes every cell true again."""
    with office.work("test") as work:
        work.connection.execute(update(Means).values(status=MeansStatus.REVOKED.value))
        work.connection.execute(update(Account).values(blocked_at=work.now, wrong_codes=9))
    assert cells(office) != stated()
    reset(office)
    assert cells(office) == stated()
    with office.reading() as connection:
        assert connection.execute(select(func.sum(Account.wrong_codes))).scalar_one() == 0


def test_a_changed_password_is_set_back(office: Office) -> None:
    """Who changed a password has the seeded one again after a reset; whoever did not keeps the very hash."""
    query = select(Account.username, Account.password_hash)
    with office.work("test") as work:
        before = {row.username: row.password_hash for row in work.connection.execute(query)}
        changed = {"password_hash": office.passwords.hash("Anders2026"), "password_set_at": T0 + timedelta(days=1)}
        work.connection.execute(update(Account).where(Account.username == "anna").values(changed))
    reset(office)
    with office.reading() as connection:
        after = {row.username: row.password_hash for row in connection.execute(query)}
    assert office.passwords.check(after["anna"], "Anna2026-lab")
    assert {name for name in after if after[name] != before[name]} == {"anna"}


def test_the_world_stays_true_for_months(office: Office) -> None:
    """A demo that is kept for half a year still tells everyone the same."""
    assert isinstance(office.clock, StandingClock)
    office.clock.move(timedelta(days=180))
    assert cells(office) == stated()


def test_choices_of_the_table(office: Office) -> None:
    """nora chooses at EH2 and EH1, otto at UWV among three and at GEM among two."""
    assert choices(office, "nora") == {"OLO": 2, "EH1-DEMO": 2}
    assert choices(office, "otto") == {"UWV": 3, "GEM": 2}


def choices(office: Office, username: str) -> dict[str, int]:
    """At which services someone chooses, and among how many ways to act."""
    found: dict[str, int] = {}
    with office.work("test") as work:
        account = work.connection.execute(select(Account.id).where(Account.username == username)).scalar_one()
        for service in read_services(work.connection):
            settings = PartySettings(Profile.GENERIC)
            party = Party("p", "saml", "urn:p", "p", service.provider, settings, ((1, service),), "", 1)
            progress = Progress(account, frozenset({Factor.PASSWORD, Factor.OTP}), office.clock.now())
            asked = LoginRequest("saml", "p", service.instance_uuid, service.level)
            standing = stand(work, party, asked, progress)
            if standing.step is Step.CHOOSE:
                found[service.slug] = sum(option.open for option in standing.options)
    return found


def test_every_reason_is_reached(office: Office) -> None:
    """Every reason of the decision is the first one somewhere, where the persona says it is."""
    told_somewhere = set(stated().values()) - {GRANTED}
    assert told_somewhere == {reason.value for reason in Reason} - _OF_THE_MOMENT
    for persona in read().personas:
        if persona.shown_at is not None:
            assert persona.expected[persona.shown_at] != GRANTED


def test_level_and_mandate_are_both_told(office: Office) -> None:
    """Where level and mandate both fall short the level stands first and the mandate second (F04, RUL-5)."""
    cas = read().persona("cas")
    assert cas is not None
    with office.work("test") as work:
        uwv = next(one for one in read_services(work.connection) if one.slug == "UWV")
        reasons = told(work, cas, uwv)
    assert reasons == (Reason.LEVEL_TOO_LOW, Reason.NO_MANDATE)


def test_the_same_seed_gives_the_same_ids(database: str, open_office: OpenOffice, tmp_path: Path) -> None:
    """Two databases of one seed hold the same ids and another seed gives others."""

    def ids(url: str, number: int) -> list[str]:
        made = open_office(url)
        seed(made, number)
        with made.reading() as connection:
            return list(connection.execute(select(Person.id).order_by(Person.id)).scalars())

    first = ids(database, 7)
    assert ids(f"sqlite:///{tmp_path / 'again.db'}", 7) == first
    assert set(ids(f"sqlite:///{tmp_path / 'other.db'}", 8)).isdisjoint(first)


def test_pseudonyms_survive_a_reset(office: Office) -> None:
    """People and organisations keep their ids, so a relying party knows them again after a reset (RUL-9)."""

    def ids() -> list[str]:
        with office.reading() as connection:
            people = connection.execute(select(Person.id).order_by(Person.id)).scalars().all()
            return [*people, *connection.execute(select(Organisation.id).order_by(Organisation.id)).scalars()]

    before = ids()
    with office.work("test") as work:
        values = {"id": "x" * 32, "created_at": work.now, "person_id": before[0], "organisation_id": ids()[-1]}
        more = {"intermediary_id": "", "provider_oin": "00000009900000001000", "value": "A"}
        work.connection.execute(insert(Pseudonym).values(values | more))
    reset(office)
    assert ids() == before
    with office.reading() as connection:
        assert connection.execute(select(func.count()).select_from(Pseudonym)).scalar_one() == 0


def test_a_reset_keeps_parties_and_what_was_spent(office: Office) -> None:
    """Registered parties stay, spent marks stay spent, secrets under way are void, and the chain is whole (RUL-21)."""
    until = office.clock.now() + timedelta(hours=1)
    with office.work("test") as work:
        party = add(work, NewParty("saml", "urn:mine", "Mine", "<md/>", ("UWV",))).party
        assert first_use(work, Purpose.SAML_REQUEST, "seen", until)
        issue(work, Purpose.SAML_ARTIFACT, "waiting", Held("a", {}, timedelta(hours=1)))
    reset(office)
    assert office.directory.party("saml", "urn:mine") == party
    with office.work("test") as work:
        assert not first_use(work, Purpose.SAML_REQUEST, "seen", until)
        assert redeem(work, Purpose.SAML_ARTIFACT, "waiting", "a") is None
    with office.reading() as connection:
        assert verify(connection) is None


@pytest.mark.parametrize("frozen_at", ["", T0.isoformat()])
def test_a_reset_sets_the_clock_back(database: str, open_office: OpenOffice, folder: Path, frozen_at: str) -> None:
    """A sandbox that was started with its clock at an instant goes back to it; another one to the machine's time."""
    clock = LabClock(folder / "clock")
    start(clock, T0 if frozen_at else None)
    made = open_office(database, clock, lab__frozen_at=frozen_at, paths__data=str(folder), **LISTENED)
    seed(made, 1)
    clock.freeze(True)
    clock.advance(timedelta(days=400))
    reset(made)
    assert clock.setting().frozen is bool(frozen_at)
    assert clock.now() == T0 if frozen_at else abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
    assert cells(made) == stated()


def test_the_database_knows_whether_it_is_seeded(database: str, open_office: OpenOffice, folder: Path) -> None:
    """An empty database is told from a seeded one, and a reset of it begins the world."""
    made = open_office(database, paths__data=str(folder), **LISTENED)
    assert not seeded(made)
    reset(made)
    assert seeded(made)
    assert cells(made) == stated()


def test_invented_numbers_are_well_formed() -> None:
    """KvK numbers are invented ones, RSINs pass the eleven-test, addresses of mail cannot exist."""
    world = read()
    for organisation in world.organisations:
        assert KvkNumber(organisation.kvk).startswith("9")
        assert organisation.rsin is None or Rsin(organisation.rsin)
        assert all(len(branch.number) == 12 for branch in organisation.branches)
    assert all(persona.email.endswith(".test") for persona in world.personas)


def test_passwords_obey_the_classic_policy() -> None:
    """Every persona's password may be chosen under the FAQ's policy, and no two are alike (F37)."""
    passwords = [persona.password for persona in read().personas]
    assert all(faults(password, CLASSIC) == () for password in passwords)
    assert len(set(passwords)) == len(passwords)


def test_everyone_from_eh2_up_has_a_responder() -> None:
    """Who holds a means at EH2 or higher has a responder, emre and gijs too; its secret has 160 bits."""
    for persona in read().personas:
        strong = any(means.level >= Level.EH2 for means in persona.means)
        assert (persona.responder is not None) or not (strong or persona.id == "gijs")
        assert persona.responder is None or len(persona.responder.secret) == 32


def test_responders_are_sealed(office: Office) -> None:
    """No secret of a responder can be read from the database (SEC-31)."""
    with office.reading() as connection:
        stored = b"".join(connection.execute(select(Responder.secret)).scalars())
    assert all(one.responder is None or one.responder.secret.encode() not in stored for one in read().personas)


@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        ("-1d", (2026, 3, 30)),
        ("-1m", (2026, 2, 28)),
        ("+1y", (2027, 3, 31)),
        ("-24m -1d", (2024, 3, 30)),
        ("-0d", (2026, 3, 31)),
    ],
)
def test_offsets_count_months_before_days(offset: str, expected: tuple[int, int, int]) -> None:
    """An offset of the world's file goes by calendar months, then by days."""
    start = datetime(2026, 3, 31, tzinfo=UTC).date()
    assert day(start, offset) == datetime(*expected, tzinfo=UTC).date()
