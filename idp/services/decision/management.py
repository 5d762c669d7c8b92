"""Who may manage an organisation, and for whom they can speak (docs/decisions/0012)."""

from dataclasses import dataclass

from sqlalchemy import Connection, Date, bindparam, select
from sqlalchemy.orm import aliased

from idp.services.decision.conclusion import dutch_day
from idp.services.work import Work
from idp.store.means import Means
from idp.store.organisations import Organisation
from idp.store.people import Account, Person
from idp.store.prepared import Prepared

_THEIRS = aliased(Means)
_MANAGERS = Prepared(
    select(Account.id, Account.locale, Person.email, Organisation.id.label("organisation_id"), Organisation.name)
    .select_from(Means)
    .join(_THEIRS, _THEIRS.organisation_id == Means.organisation_id)
    .join(Account, Account.id == _THEIRS.account_id)
    .join(Person, Person.id == Account.person_id)
    .join(Organisation, Organisation.id == Means.organisation_id)
    .where(
        Means.account_id == bindparam("account"),
        Means.status == "active",
        Means.valid_until >= bindparam("today", type_=Date),
        _THEIRS.manages,
        _THEIRS.status == "active",
        _THEIRS.valid_until >= bindparam("today", type_=Date),
        _THEIRS.account_id != Means.account_id,
        Account.status == "active",
    )
    .order_by(Account.id, Organisation.id)
)
_PERSON = Prepared(select(Account.person_id).where(Account.id == bindparam("account")))


@dataclass(frozen=True, slots=True)
class ManagerOf:
    """Somebody else who manages an organisation at which an account has an active means."""

    account: str
    locale: str
    email: str
    organisation: str
    organisation_name: str


def managers_of(work: Work, account: str) -> tuple[ManagerOf, ...]:
    """Everybody who may speak for the holder of an account, each once; never the same person by another account."""
    rows = _MANAGERS.all(work.connection, account=account, today=dutch_day(work.now))
    own = person_of(work.connection, account)
    others = {row.id: ManagerOf(*row) for row in reversed(rows) if person_of(work.connection, row.id) != own}
    return tuple(reversed(others.values()))


def may_speak(work: Work, manager: str, account: str) -> bool:
    """Whether this account manages, today, an organisation of that one's holder."""
    return any(one.account == manager for one in managers_of(work, account))


def person_of(connection: Connection, account: str) -> str:
    """The person an account belongs to."""
    found = _PERSON.one(connection, account=account)
    return "" if found is None else str(found.person_id)
