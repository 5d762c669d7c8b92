"""What was done with a login, as its holder reads it: from the audit chain, by the index of accounts."""

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select

from idp.domain.audit import Event
from idp.services.decision.logins import party_of
from idp.services.work import Office
from idp.store.ledger import AuditEvent
from idp.store.organisations import Organisation

PAGE = 20
_TOLD = frozenset(
    {
        Event.LOGIN_GRANTED,
        Event.LOGIN_REFUSED,
        Event.PASSWORD_REFUSED,
        Event.CODE_REFUSED,
        Event.ACCOUNT_BLOCKED,
        Event.PASSWORD_CHANGED,
        Event.EMAIL_CHANGE_ASKED,
        Event.EMAIL_CHANGED,
        Event.EMAIL_RESTORED,
        Event.RESPONDER_PAIRED,
        Event.RESPONDER_LOST,
        Event.RECOVERY_CODES_MADE,
        Event.RECOVERY_CODE_USED,
        Event.RESET_ASKED,
        Event.RESET_CANCELLED,
        Event.PASSKEY_ADDED,
        Event.PASSKEY_REMOVED,
        Event.DATA_EXPORTED,
        Event.ERASURE_ASKED,
    }
)


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that happened; ``service`` is its name per language, empty where there is none."""

    at: datetime
    event: Event
    service: dict[str, str]
    level: str
    organisation: str
    reference: str


def count(connection: Connection, account: str) -> int:
    """How many deeds there are."""
    query = select(func.count()).select_from(AuditEvent)
    return int(connection.execute(query.where(*_its(account))).scalar_one())


def deeds(office: Office, connection: Connection, account: str, page: int = 1, most: int = PAGE) -> list[Deed]:
    """A page of what was done, the newest first."""
    query = select(AuditEvent.at, AuditEvent.event, AuditEvent.facts).where(*_its(account))
    rows = connection.execute(query.order_by(AuditEvent.sequence.desc()).limit(most).offset((page - 1) * most)).all()
    told = [(row, json.loads(row.facts)) for row in rows]
    names = _names(connection, {facts["principal"] for _, facts in told if facts.get("principal")})
    return [
        Deed(
            datetime.fromisoformat(row.at),
            Event(row.event),
            _service(office, facts),
            facts.get("level", ""),
            names.get(facts.get("principal", ""), ""),
            facts.get("reference", ""),
        )
        for row, facts in told
    ]


def _its(account: str) -> tuple[ColumnElement[bool], ...]:
    return AuditEvent.account == account, AuditEvent.account != "", AuditEvent.event.in_(sorted(_TOLD))


def _names(connection: Connection, organisations: set[str]) -> dict[str, str]:
    query = select(Organisation.id, Organisation.name).where(Organisation.id.in_(sorted(organisations)))
    return {row.id: row.name for row in connection.execute(query).all()} if organisations else {}


def _service(office: Office, facts: dict[str, str]) -> dict[str, str]:
    """The service as it is called today; a party that is gone leaves it unnamed."""
    party = party_of(office, facts.get("party", "")) if facts.get("service") else None
    known = party.services if party is not None else ()
    # Events of before instances were told apart name the definition, and the chain is append only.
    return next((one.name for _, one in known if facts["service"] in (one.instance_uuid, one.uuid)), {})
