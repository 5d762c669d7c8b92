"""Every page that takes a name, address, number, code or link, with one that exists here and one that does not.

Not here: a link that works, which leads on because whoever has its 256 random bits is meant to; and adding a key whose
credential another account has (F35), whose random bytes only that account's holder ever sees.
"""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, update
from werkzeug.test import TestResponse

from idp.domain.otp import Algorithm
from idp.domain.seeds import Seed
from idp.services.authentication.presence import Present
from idp.services.second_factor import passkeys
from idp.services.second_factor.pairing import Entitled, pair_device
from idp.services.second_factor.recovery_codes import make_codes
from idp.services.second_factor.responders import take_in
from idp.services.tickets import Held, Purpose, issue, redeem
from idp.services.work import Office
from idp.store.logins import SessionRow
from idp.store.means import Means
from idp.store.people import Account
from tests.office import StandingClock
from tests.services.software_key import SoftwareKey
from tests.web.kit import Page, Site
from tests.web.responder_kit import SERIAL, Visitor, persona_shows

_BASE = "http://localhost:8000"
_HOUR = timedelta(hours=1)
_CHANGING = re.compile(rb'(name="csrf_token" value=")[^"]*|(challenge(?:&#34;|"): (?:&#34;|"))[\w-]+')
_COOKIE = re.compile(r"(?<==)[^;]*")

Told = tuple[tuple[int, tuple[tuple[str, str], ...], bytes], ...]
"""Status, headers and page of each answer on the way; what was typed, and what is random, is left out."""


@dataclass(frozen=True, slots=True)
class Trial:
    """How something is sent to a page; ``timed`` stands in for it where drawing the page takes longest by far."""

    send: Callable[[str], Told]
    known: str
    unknown: str
    timed: Callable[[str], object] | None = None


@dataclass(frozen=True, slots=True)
class Street:
    """The site that all doors are at, its clock, and a browser for each visit."""

    site: Site
    clock: StandingClock

    @property
    def office(self) -> Office:
        """What is behind the doors."""
        return self.site.office

    def visitor(self) -> Site:
        """A browser without cookies."""
        return Site(self.site.app, self.site.office, self.site.clients)

    def inside(self, username: str) -> Site:
        """A browser in which somebody gave both factors."""
        self.clock.move(timedelta(seconds=30))
        site = self.visitor()
        page = site.identify(site.get("/inloggen?naar=/profiel&sterk=ja"), username)
        assert isinstance(page, Page)
        assert isinstance(site.prove(page, username), Page)
        return site

    def account(self, username: str) -> str:
        """The id of an account."""
        with self.office.reading() as connection:
            return str(connection.execute(select(Account.id).where(Account.username == username)).scalar_one())

    def ticket(self, purpose: Purpose, subject: str, payload: dict[str, str]) -> str:
        """Give out a secret to somebody."""
        secret = f"{len(purpose):x}" * 64
        with self.office.work("test") as work:
            issue(work, purpose, secret, Held(subject, payload, _HOUR))
        return secret

    def used(self, purpose: Purpose, payload: dict[str, str]) -> str:
        """A secret that otto was given and has used up."""
        otto = self.account("otto")
        secret = self.ticket(purpose, otto, payload)
        with self.office.work("test") as work:
            assert redeem(work, purpose, secret, otto) is not None
        return secret


def told(response: TestResponse, typed: str) -> Told:
    """All that an answer tells, and the answers that led to it."""
    return tuple(_told(one, typed) for one in (*response.history, response))


def _told(response: TestResponse, typed: str) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
    headers = tuple(
        (name, _COOKIE.sub("*", value, count=1) if name == "Set-Cookie" else value.replace(typed, "*"))
        for name, value in response.headers.items()
    )
    body = _CHANGING.sub(rb"\1\2", response.data)
    return response.status_code, headers, body.replace(html.escape(typed).encode(), b"*")


def form(site: Site, page: Page, field: str, control: str = "step-form", **others: str) -> Callable[[str], Told]:
    """Sends the form of a page again and again with different values in one field."""
    fields = page.form_of(control) | others
    address = page.response.request
    path = f"{address.path}?{address.query_string.decode()}".rstrip("?")

    def send(value: str) -> Told:
        given = fields | {field: value}
        return told(site.browser.post(path, base_url=_BASE, data=given, follow_redirects=True), value)

    return send


def link(site: Site, path: str) -> Callable[[str], Told]:
    """Opens a link with different secrets."""

    def send(secret: str) -> Told:
        return told(site.browser.get(f"{path}t={secret}", base_url=_BASE, follow_redirects=True), secret)

    return send


_NOBODYS = "0123456789abcdef" * 4


def login(street: Street) -> Trial:
    """The username of an account at the login."""
    site = street.visitor()
    return Trial(form(site, site.begin("RVO-3"), "username", password="verkeerd12"), "anna", "onna")


def closed_login(street: Street) -> Trial:
    """The username of an account that was closed, at the login."""
    with street.office.work("test") as work:
        work.connection.execute(update(Account).where(Account.username == "yara").values(status="closed"))
    site = street.visitor()
    return Trial(form(site, site.begin("RVO-3"), "username", password="verkeerd12"), "yara", "yera")


def colleagues_code(street: Street) -> Trial:
    """The code that a colleague's responder shows, at the login (F35)."""
    anna = select(Means.organisation_id).where(Means.account_id == street.account("anna")).scalar_subquery()
    with street.office.work("test") as work:
        joining = update(Means).where(Means.account_id == street.account("bram"))
        work.connection.execute(joining.values(organisation_id=anna))
    visitor = Visitor(street.site, "anna")
    code = persona_shows(street.office, "bram")
    wrong = next(one for one in ("000000", "111111") if one not in (code, persona_shows(street.office, "anna")))
    return Trial(form(visitor.own, visitor.identify(), "code"), code, wrong)


def passkey(street: Street) -> Trial:
    """The key of another account, at the login of an account that has keys."""
    theirs, nobodys = SoftwareKey(b"bram-key-0123456"), SoftwareKey(b"no-ones-key-0123")
    for username, key in (("anna", SoftwareKey(b"anna-key-0123456")), ("bram", theirs)):
        who = Present(street.account(username), True)
        assert passkeys.add(street.office, who, key.make(passkeys.offer(street.office, who)), "sleutel")
    visitor, anna = Visitor(street.site, "anna"), street.account("anna")
    page = visitor.identify()
    login_id = page.response.request.path.rpartition("/")[2]
    send = form(visitor.own, page, "answer", "passkey-form")

    def answer(name: str) -> Told:
        key = theirs if name == "theirs" else nobodys
        return send(key.use(passkeys.question(street.office, anna, login_id)))

    return Trial(answer, "theirs", "nobodys")


def forgotten_username(street: Street) -> Trial:
    """The address of an account, where usernames are mailed (F38)."""
    site = street.visitor()
    send = form(site, site.get("/gebruikersnaam-vergeten"), "email")
    return Trial(send, "otto@administratie.test", "atto@administratie.test")


def forgotten_password(street: Street) -> Trial:
    """The username of an account, where a link for a password is mailed (F39)."""
    site = street.visitor()
    return Trial(form(site, site.get("/wachtwoord-vergeten"), "username"), "otto", "atto")


def registration_code(street: Street) -> Trial:
    """A code of a letter (F41); there are none yet, and the page looks at none."""
    site = street.visitor()
    return Trial(form(site, site.get("/gegevens-kwijt"), "code"), "ABCD-2345-EFGH", "ZZZZ-9999-ZZZZ")


def password_link(street: Street) -> Trial:
    """A link for a new password that was used, and one that never was given out."""
    secret = street.used(Purpose.PASSWORD_LINK, {"username": "otto", "login": ""})
    return Trial(link(street.visitor(), "/wachtwoord-nieuw?"), secret, _NOBODYS)


def own_email(street: Street) -> Trial:
    """The address of somebody else, as one's own new address (F42, F43)."""
    site = street.inside("anna")
    return Trial(form(site, site.get("/profiel/email"), "email"), "otto@administratie.test", "atto@administratie.test")


def email_link(street: Street) -> Trial:
    """A link for a new address that was used, and one that never was given out (F43)."""
    secret = street.used(Purpose.EMAIL_CONFIRMATION, {"old": "a@b.test", "new": "c@d.test"})
    return Trial(link(street.visitor(), "/email-bevestigen?"), secret, _NOBODYS)


def email_objection(street: Street) -> Trial:
    """An objection to another address that was used, and one that never was given out (F43)."""
    secret = street.used(Purpose.EMAIL_OBJECTION, {"old": "a@b.test", "new": "c@d.test"})
    return Trial(link(street.visitor(), "/email-bezwaar?"), secret, _NOBODYS)


def colleague_link(street: Street) -> Trial:
    """A link for another manager, opened by somebody who got none (RUL-14)."""
    payload = {"account": street.account("zohra"), "organisation": "Papier"}
    secret = street.ticket(Purpose.LOSS_CONFIRMATION, street.account("petra"), payload)
    return Trial(link(street.inside("anna"), "/collega-bevestigen?"), secret, _NOBODYS)


def reset_objection(street: Street) -> Trial:
    """An objection to a reset that was used, and one that never was given out."""
    secret = street.used(Purpose.RESET_OBJECTION, {})
    return Trial(link(street.visitor(), "/bezwaar?"), secret, _NOBODYS)


def pairing_permit(street: Street) -> Trial:
    """Somebody else's permit to pair, beside one's own password."""
    visitor = Visitor(street.site, "zohra")
    visitor.identify()
    secret = street.ticket(Purpose.PAIRING_PERMIT, street.account("otto"), {"by": "manager"})
    return Trial(link(visitor.own, f"/responder-koppelen?login={visitor.login}&"), secret, _NOBODYS)


def recovery_code(street: Street) -> Trial:
    """Somebody else's recovery code, beside one's own password."""
    visitor = Visitor(street.site, "zohra")
    visitor.identify()
    with street.office.work("test") as work:
        make_codes(work, street.account("zohra"))
        code = make_codes(work, street.account("otto"))[0]
    return Trial(form(visitor.own, visitor.lost(), "recovery-code"), code, "AAAA-AAAA-AAAA")


def serial_number(seed: Seed | None, known: str, code: str) -> Callable[[Street], Trial]:
    """The number of a device, with a code that it does not show, where one pairs a device (F35)."""

    def door(street: Street) -> Trial:
        site = street.inside("anna")
        if seed is not None:
            with street.office.work("test") as work:
                take_in(work, (seed,))
        claim = Entitled(Present(street.account("anna"), True), "", "127.0.0.1")
        send = form(site, site.get("/responder-koppelen"), "serial", "device-form", **{"device-code": code})
        unknown = f"{known[:-1]}X"
        return Trial(send, known, unknown, lambda serial: pair_device(street.office, claim, serial, (code, "")))

    return door


def others_key(street: Street) -> Trial:
    """The key of another account, where one takes away one's own."""
    who = Present(street.account("otto"), True)
    answer = SoftwareKey(b"otto-key-0123456").make(passkeys.offer(street.office, who))
    assert passkeys.add(street.office, who, answer, "sleutel")
    with street.office.reading() as connection:
        theirs = passkeys.own_passkeys(connection, who.account)[0].id
    site = street.inside("anna")
    fields = {"csrf_token": site.get("/profiel/sleutels").form_of("label")["csrf_token"], "step": "remove"}
    return Trial(_plain(site, "/profiel/sleutels", "passkey", fields), theirs, "f" * 32)


def others_session(street: Street) -> Trial:
    """The session of another account, where one ends one's own."""
    street.inside("otto")
    with street.office.reading() as connection:
        query = select(SessionRow.id).where(SessionRow.account_id == street.account("otto"))
        theirs = str(connection.execute(query.order_by(SessionRow.id.desc())).scalars().first())
    site = street.inside("anna")
    fields = {"csrf_token": site.get("/profiel/sessies").form_of("end-all")["csrf_token"], "step": "end"}
    return Trial(_plain(site, "/profiel/sessies", "session", fields), theirs, "f" * 32)


def _plain(site: Site, path: str, field: str, fields: dict[str, str]) -> Callable[[str], Told]:
    def send(value: str) -> Told:
        given = fields | {field: value}
        return told(site.browser.post(path, base_url=_BASE, data=given, follow_redirects=True), value)

    return send


_SECRETS = [bytes([65 + place]) * 20 for place in range(3)]
DOORS: dict[str, Callable[[Street], Trial]] = {
    "login: username": login,
    "login: username of a closed account": closed_login,
    "login: code of a colleague": colleagues_code,
    "login: key": passkey,
    "recovery: e-mail address": forgotten_username,
    "recovery: username": forgotten_password,
    "recovery: code of a letter": registration_code,
    "recovery: link": password_link,
    "profile: e-mail address": own_email,
    "profile: link to confirm it": email_link,
    "profile: link to object to it": email_objection,
    "profile: key": others_key,
    "profile: session": others_session,
    "loss: recovery code": recovery_code,
    "loss: link for a manager": colleague_link,
    "loss: link to object to a reset": reset_objection,
    "pairing: permit": pairing_permit,
    "pairing: number in stock": serial_number(Seed(1, SERIAL, _SECRETS[0]), SERIAL, "000000"),
    "pairing: number that is taken": serial_number(None, "SH-2600212", "000000"),
    "pairing: number that counts presses": serial_number(
        Seed(1, "HW-0002", _SECRETS[1], Algorithm.HOTP), "HW-0002", "000000"
    ),
    "pairing: number with long codes": serial_number(Seed(1, "HW-0003", _SECRETS[2], digits=8), "HW-0003", "00000000"),
    "pairing: number with long codes, short one": serial_number(None, "HW-0003", "000000"),
}
"""All of them, as ``page: what is typed or opened there``."""
