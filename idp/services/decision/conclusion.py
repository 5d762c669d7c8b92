"""The one place where an assertion is made: everything it says is read in the transaction that records it (SEC-17)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select, update

from idp.domain.assertion import Assertion, Basis, Denied, Interrupted, Lacking, Outcome, Served, Undeliverable
from idp.domain.assurance import Level
from idp.domain.audit import Event
from idp.domain.decision import Granted, Option, Refused, refusal
from idp.domain.login import LoginRequest, Progress, Step, chosen, next_step, stated_level
from idp.domain.naming import names_of
from idp.domain.parties import Party, Service, behind
from idp.domain.portal import options, question
from idp.domain.pseudonyms import PseudonymKey, mint
from idp.domain.reasons import REASONS, Objection, Reason
from idp.services.decision.own_party import OWN, admit, own_step
from idp.services.work import Work
from idp.settings import Settings
from idp.store.base import AnyRow
from idp.store.facts import Way, ways_of
from idp.store.mandates import MandateRow
from idp.store.means import Pseudonym
from idp.store.merge import keep
from idp.store.organisations import Branch
from idp.store.people import Person
from idp.store.prepared import Prepared

DUTCH = ZoneInfo("Europe/Amsterdam")
_KNOWN = Prepared(
    select(Pseudonym.value).where(
        Pseudonym.person_id == bindparam("person"),
        Pseudonym.organisation_id == bindparam("organisation"),
        Pseudonym.intermediary_id == bindparam("intermediary"),
        Pseudonym.provider_oin == bindparam("provider"),
    )
)
_MINTED = keep(Pseudonym)
# The decision for a login, the way to act that it is about, and the personal attributes that may be told.
_Allowed = tuple[Granted, Way, dict[str, str]]
_PREFIX = "urn:etoegang:1.9:attribute:"
PERSONAL_ATTRIBUTES: dict[str, Callable[[AnyRow], str]] = {
    _PREFIX + "Initials": lambda person: person.initials,
    _PREFIX + "FirstName": lambda person: person.first_name,
    _PREFIX + "FamilyNameInfix": lambda person: person.infix,
    _PREFIX + "FamilyName": lambda person: person.family_name,
    _PREFIX + "DateOfBirth": lambda person: person.birth_date.isoformat() if person.birth_date else "",
    _PREFIX + "Email": lambda person: person.email,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a login stands, judged now: the step that comes next and what every way to act was told."""

    step: Step
    options: tuple[Option, ...]
    ways: dict[str, Way]
    refused: Refused | None


def stand(work: Work, party: Party, asked: LoginRequest, progress: Progress) -> Standing:
    """Judge every way to act of the account against the service, as the database has it at this moment (SEC-36)."""
    if party.id == OWN:
        return Standing(own_step(asked, progress), (), {}, None)
    if shut := closed(work.office.settings, asked.level):
        return Standing(Step.ANSWER if progress.cancelled else Step.REFUSED, (), {}, shut)
    service = service_of(party, asked)
    ways = ways_of(work.connection, progress.account) if progress.account else ()
    judged_by = question(service, behind(service, party.led_to), asked.level)
    known = {way.held.key: way for way in ways}
    judged = options(judged_by, [way.held for way in ways], progress.factors, dutch_day(work.now))
    found = _deliverable(service, known, judged)
    step = next_step(asked, progress, found)
    refused = refusal(found, None) if step is Step.REFUSED else None
    return Standing(step, found, known, refused)


def _deliverable(service: Service, ways: Mapping[str, Way], found: tuple[Option, ...]) -> tuple[Option, ...]:
    """Without the organisations that the service could not be told, where there is another (EC-4)."""
    granted = [one for one in found if isinstance(one.decision, Granted)]
    mute = {one.held.key for one in granted if not names_of(service, ways[one.held.key].principal)}
    return found if len(mute) == len(granted) else tuple(one for one in found if one.held.key not in mute)


def closed(settings: Settings, level: Level) -> Refused | None:
    """What keeps everybody out of a level, whoever they are: EH4 is out of reach where nobody listens for certificates.

    It is told before a password is asked, because it says nothing about anyone (F17, D15).
    """
    if level is not Level.EH4 or not settings.lacking_for_certificates:
        return None
    return Refused((Objection(Reason.CERTIFICATE_REFUSED, REASONS[Reason.CERTIFICATE_REFUSED].remedies),))


def service_of(party: Party, asked: LoginRequest) -> Service:
    """The service a request is about; raises ``LookupError`` when the party lost it meanwhile."""
    for _, service in party.services:
        if service.instance_uuid == asked.service:
            return service
    raise LookupError("the party no longer serves this service")


def dutch_day(now: datetime) -> date:
    """The calendar day in the Netherlands."""
    return now.astimezone(DUTCH).date()


def conclude(work: Work, party: Party, asked: LoginRequest, progress: Progress, standing: Standing) -> Outcome:
    """The outcome of a login whose next step is ANSWER, or that is refused, cancelled or interrupted; recorded."""
    reference = asked.reply.get("reference", "")
    if progress.cancelled:
        work.record(Event.LOGIN_CANCELLED, reference=reference, party=party.id, service=asked.service)
        return Denied((Reason.CANCELLED,), reference)
    if standing.refused is not None:
        return _refuse(work, party, asked, progress, standing.refused)
    if party.id == OWN and standing.step is Step.ANSWER:
        return admit(work, party, asked, progress)
    option = chosen(progress, standing.options)
    if standing.step is not Step.ANSWER or option is None or not isinstance(option.decision, Granted):
        return _interrupt(work, party, asked, standing.step)
    way = standing.ways[option.held.key]
    told = _attributes(work, way, asked, progress)
    lacking = _lacking(party, asked, way, told)
    if lacking is not None:
        _note_refusal(work, party, asked, progress, lacking.value)
        return Undeliverable(lacking, reference)
    return _grant(work, party, asked, progress, (option.decision, way, told))


def _lacking(party: Party, asked: LoginRequest, way: Way, told: Mapping[str, str]) -> Lacking | None:
    """What the service must hear and cannot: an identifier that it takes (EC-4), a required attribute (RA-3)."""
    if not names_of(service_of(party, asked), way.principal):
        return Lacking.ENTITY_TYPE
    return Lacking.ATTRIBUTE if any(one.required and one.name not in told for one in asked.attributes) else None


def _interrupt(work: Work, party: Party, asked: LoginRequest, step: Step) -> Interrupted:
    reference = asked.reply.get("reference", "")
    work.record(Event.LOGIN_INTERRUPTED, reference=reference, party=party.id, step=step.value)
    return Interrupted(step.value, reference)


def _refuse(work: Work, party: Party, asked: LoginRequest, progress: Progress, refused: Refused) -> Denied:
    _note_refusal(work, party, asked, progress, " ".join(refused.reasons))
    return Denied(refused.reasons, asked.reply.get("reference", ""))


def _note_refusal(work: Work, party: Party, asked: LoginRequest, progress: Progress, reasons: str) -> None:
    work.record(
        Event.LOGIN_REFUSED,
        reference=asked.reply.get("reference", ""),
        party=party.id,
        service=asked.service,
        account=progress.account or "",
        reasons=reasons,
    )


def _grant(
    work: Work, party: Party, asked: LoginRequest, progress: Progress, allowed: _Allowed
) -> Assertion | Interrupted:
    decision, way, attributes = allowed
    if progress.authenticated_at is None:
        raise ValueError("granted without authentication")
    subject = _pseudonym(work, party, way)
    if asked.subject not in (None, subject):
        # The party asked about someone else; to answer about this person would mix two people up.
        return _interrupt(work, party, asked, Step.PASSWORD)
    level = stated_level(asked, decision.level)
    _note_use(work, way, decision.used)
    work.record(
        Event.LOGIN_GRANTED,
        reference=asked.reply.get("reference", ""),
        party=party.id,
        service=asked.service,
        account=progress.account or "",
        means=way.held.means,
        principal=way.principal_id,
        mandate=decision.mandate.id if decision.mandate else "automatic",
        level=level.label,
        resumed=str(progress.resumed).lower(),
        **({"services": " ".join(decision.services)} if decision.services else {}),
    )
    return Assertion(
        subject=subject,
        level=level,
        principal=way.principal,
        branches=tuple(sorted(decision.branches)),
        subdossiers=_subdossiers(work, decision),
        intermediaries=way.intermediaries,
        authenticated_at=progress.authenticated_at,
        attributes=attributes,
        session=None,
        basis=Basis(progress.account or "", way.held.key, progress.factors, progress.consented or frozenset()),
        services=_served(party, decision),
    )


def _served(party: Party, decision: Granted) -> tuple[Served, ...]:
    """The services behind a portal that are allowed, by both their names."""
    known = {one.instance_uuid: one for one in party.led_to} if decision.services else {}
    return tuple(Served(known[one].urn, known[one].uuid) for one in decision.services)


def _subdossiers(work: Work, decision: Granted) -> tuple[str, ...]:
    """The old numbers of the branches, where the register gives them (SR-6)."""
    if not decision.branches:
        return ()
    known = select(Branch.subdossier).where(Branch.number.in_(decision.branches)).order_by(Branch.number)
    return tuple(one for one in work.connection.execute(known).scalars() if one)


def reassert(work: Work, party: Party, asked: LoginRequest, basis: Basis, earlier: Assertion) -> Assertion | Denied:
    """Judge a granted login again, as a refreshed token needs it: the same way, as it stands now (SEC-36)."""
    progress = Progress(
        basis.account,
        basis.factors,
        earlier.authenticated_at,
        resumed=True,
        chosen=basis.way,
        consented=basis.consented,
    )
    standing = stand(work, party, asked, progress)
    outcome = conclude(work, party, asked, progress, standing)
    if isinstance(outcome, Assertion):
        return replace(outcome, session=earlier.session)
    return outcome if isinstance(outcome, Denied) else Denied((Reason.NO_MEANS,), outcome.reference)


def _note_use(work: Work, way: Way, used: tuple[str, ...]) -> None:
    """A use keeps a mandate awake; written once a day (A.2)."""
    today = dutch_day(work.now)
    held = (*way.held.mandates, *(link.mandate for link in way.held.chain))
    stale = [one.id for one in held if one.id in used and one.last_used < today]
    if stale:
        work.connection.execute(update(MandateRow).where(MandateRow.id.in_(stale)).values(last_used_on=today))


def _pseudonym(work: Work, party: Party, way: Way) -> str:
    """The stored pseudonym, or a new one (RUL-9)."""
    key = {
        "person": way.person_id,
        "organisation": way.principal_id,
        "intermediary": way.own_company_id,
        "provider": party.provider.oin,
    }
    known = _KNOWN.one(work.connection, **key)
    if known is not None:
        return str(known.value)
    pseudonym_key = PseudonymKey(way.person_id, way.principal_id, way.own_company_id, party.provider.oin)
    value = mint(work.office.vault.pseudonym_secret(), pseudonym_key)
    # Two first logins at once mint the same value, so whoever comes second finds what it meant to write.
    return _insert_once(work, key, value)


def _insert_once(work: Work, key: dict[str, str], value: str) -> str:
    row = {
        "id": work.new_id(),
        "created_at": work.now,
        "person_id": key["person"],
        "organisation_id": key["organisation"],
        "intermediary_id": key["intermediary"],
        "provider_oin": key["provider"],
        "value": value,
    }
    _MINTED.run(work.connection, **row)
    known = _KNOWN.one(work.connection, **key)
    return value if known is None else str(known.value)


def _attributes(work: Work, way: Way, asked: LoginRequest, progress: Progress) -> dict[str, str]:
    """The personal attributes that were asked and consented to (RUL-12, RA-1)."""
    wanted = sorted({one.name for one in asked.attributes} & (progress.consented or frozenset()))
    if not wanted:
        return {}
    person = work.connection.execute(select(Person).where(Person.id == way.person_id)).one()
    values = {name: PERSONAL_ATTRIBUTES[name](person) for name in wanted if name in PERSONAL_ATTRIBUTES}
    return {name: value for name, value in values.items() if value}
