"""Who holds an account, and writing to them."""

from sqlalchemy import bindparam, select

from idp.services.mail.parcels import Envelope, post
from idp.services.work import Work
from idp.store.base import AnyRow
from idp.store.people import Account, Person
from idp.store.prepared import Prepared

_HOLDER = Prepared(
    select(Account.username, Account.locale, Person.email, Person.first_name, Person.infix, Person.family_name)
    .join(Person, Person.id == Account.person_id)
    .where(Account.id == bindparam("account"), Account.status == "active")
)


def holder_of(work: Work, account: str) -> AnyRow | None:
    """Name, address and language of the holder of an account; None for a closed one."""
    found: AnyRow | None = _HOLDER.one(work.connection, account=account)
    return found


def name_of(holder: AnyRow) -> str:
    """First name, infix and family name."""
    return " ".join(part for part in (holder.first_name, holder.infix, holder.family_name) if part)


def write_to(work: Work, account: str, template: str, **facts: str) -> None:
    """Queue a letter to the holder of an account that leaves at once, in the transaction that causes it."""
    holder = holder_of(work, account)
    if holder is not None:
        told = {"username": holder.username, "at": work.now.isoformat()} | facts
        post(work, Envelope("mail", holder.email, template, holder.locale), told)
