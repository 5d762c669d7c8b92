"""Getting back a username or a password, alike for those who have none here (F38, F39, SEC-27)."""

from dataclasses import dataclass
from datetime import datetime

from idp.domain import emails, usernames
from idp.domain.audit import Event
from idp.domain.passwords import PasswordFault, PasswordPolicy, faults, normalised
from idp.services import throttle
from idp.services.account.passwords import NewPassword, change_password, policy_of
from idp.services.mail.parcels import Envelope, post
from idp.services.tickets import Purpose, peek, redeem
from idp.services.turns import lock_account
from idp.services.work import Office

_LONGEST = 64


@dataclass(frozen=True, slots=True)
class Link:
    """A link that still works: for which account, and the login during which it was asked for, if any."""

    account: str
    username: str
    login: str
    policy: PasswordPolicy


def ask_usernames(office: Office, email: str, login: str, source: str) -> datetime | None:
    """Queue a mail with the usernames on an address; answers until when to wait when it was asked too often.

    What is done does not depend on whether the address is known: the worker finds out, or discards it.
    """
    facts = {"email": emails.canonical(email) or "", "from_login": "yes" if login else ""}
    return _ask(office, "usernames", facts["email"] or email[:_LONGEST], source, facts)


def ask_password(office: Office, username: str, login: str, source: str) -> datetime | None:
    """Queue a link for a new password, in the way of ``ask_usernames``."""
    facts = {"username": usernames.canonical(username) or "", "login": login}
    return _ask(office, "password-link", facts["username"] or username[:_LONGEST], source, facts)


def link_of(office: Office, secret: str) -> Link | None:
    """What a link is for, without using it; None when it was used, replaced or is over."""
    with office.work("person") as work:
        found = peek(work, Purpose.PASSWORD_LINK, secret)
    if found is None:
        return None
    account, payload = found
    return Link(account, payload["username"], payload["login"], policy_of(office, account))


def choose_password(
    office: Office, secret: str, link: Link, password: str, source: str
) -> tuple[PasswordFault, ...] | None:
    """Use a link once: set the password; answers the rules it breaks, or None when the link was used meanwhile.

    An empty tuple means done. Raises ``idp.ports.Overloaded``.
    """
    broken = faults(normalised(password), link.policy)
    if broken:
        return broken
    hashed = office.passwords.hash(normalised(password))
    with office.work("person") as work:
        lock_account(work, link.account)
        if redeem(work, Purpose.PASSWORD_LINK, secret, link.account) is None:
            return None
        if not change_password(work, NewPassword(link.account, hashed, "link")):
            return None
        # Whoever mistyped the old password until now does not wait with the new one.
        throttle.forget(work, "password", link.username, source)
    return ()


def _ask(office: Office, what: str, subject: str, source: str, facts: dict[str, str]) -> datetime | None:
    with office.work("person") as work:
        allowed = throttle.ask(work, what, subject, source)
        if isinstance(allowed, datetime):
            return allowed
        post(work, Envelope("mail", "", what, ""), facts)
        work.record(Event.RECOVERY_ASKED, what=what)
    return None
