"""What the worker completes before a mail leaves: recipients that no page may know (SEC-27), and what goes along."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import bindparam, select

from idp.domain.throttle import Limit
from idp.services import throttle
from idp.services.mail.delivery import Address
from idp.services.mail.gathering import gathered
from idp.services.mail.notices import Notice
from idp.services.mail.parcels import Outgoing
from idp.services.tickets import Held, Purpose, given_out, issue, prolong, void
from idp.services.work import Work
from idp.store.means import Means
from idp.store.organisations import Organisation
from idp.store.people import Account, Person
from idp.store.prepared import Prepared

_WINDOW = timedelta(minutes=15)
_ACCOUNTS_AT = Prepared(
    select(Account.id, Account.username, Account.locale, Organisation.name)
    .join(Person, Person.id == Account.person_id)
    .outerjoin(Means, Means.account_id == Account.id)
    .outerjoin(Organisation, Organisation.id == Means.organisation_id)
    .where(Person.email == bindparam("email"), Account.status == "active")
    .order_by(Account.username, Organisation.name)
)
_HOLDER = Prepared(
    select(Account.id, Account.username, Account.locale, Person.email)
    .join(Person, Person.id == Account.person_id)
    .where(Account.username == bindparam("username"), Account.status == "active")
)


def usernames(work: Work, mail: Outgoing) -> Outgoing | None:
    """All usernames on an address, each with its organisations, in one mail (F38)."""
    facts = mail.facts
    rows = _ACCOUNTS_AT.all(work.connection, email=facts["email"])
    if not rows or not (facts.get("counted") or _spare(work, "usernames", facts["email"])):
        return None
    held: dict[str, list[str]] = {}
    for row in rows:
        names = held.setdefault(row.username, [])
        if row.name and row.name not in names:
            names.append(" ".join(row.name.split()))
    lines = [f"{username} ({', '.join(names)})" if names else username for username, names in held.items()]
    told = facts | {"accounts": "\n".join(lines), "counted": "yes"}
    return replace(mail, recipient=facts["email"], locale=rows[0].locale, facts=told)


def password_link(work: Work, mail: Outgoing) -> Outgoing | None:
    """A link for a new password, to the address of its account; a newer one makes older ones worthless (F39, SEC-31).

    The link lasts from the last attempt to send it. None when nobody has this username, when the link was used or
    replaced before it left, or when the account got enough mails and has one that works.
    """
    facts = mail.facts
    holder = _HOLDER.one(work.connection, username=facts["username"])
    if holder is None:
        return None
    lasts = timedelta(minutes=work.office.settings.recovery.link_minutes)
    secret = facts.get("secret", "")
    if secret:
        if not prolong(work, Purpose.PASSWORD_LINK, secret, lasts):
            return None
    else:
        works = given_out(work, holder.id, Purpose.PASSWORD_LINK)
        if not _spare(work, "password-link", holder.id) and works:
            return None
        void(work, holder.id, Purpose.PASSWORD_LINK)
        secret = work.office.entropy.bytes(32).hex()
        payload = {"username": holder.username, "login": facts["login"]}
        issue(work, Purpose.PASSWORD_LINK, secret, Held(holder.id, payload, lasts, holder.id))
    told = facts | {"secret": secret, "until": (work.now + lasts).isoformat()}
    return replace(mail, recipient=holder.email, locale=holder.locale, facts=told)


def _spare(work: Work, what: str, whose: str) -> bool:
    """Whether someone may get another mail because somebody asked for it; nobody is locked out by this (RUL-20)."""
    limit = Limit(work.office.settings.recovery.mails_at_once, _WINDOW, _WINDOW, _WINDOW)
    return throttle.within(work, f"mail:{what}:{whose}", limit)


ADDRESSING: Mapping[str, Address] = {
    "usernames": usernames,
    "password-link": password_link,
    **{notice.value: gathered for notice in Notice},
}
"""How each such mail is completed, by its template."""
