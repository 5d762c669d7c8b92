"""Changing one's own e-mail address and password (F42, F43)."""

from flask import Blueprint, Response, request, session

from idp.domain.emails import canonical
from idp.services.account import addresses
from idp.services.account.own_password import NotReplaced, Wish, replace_password
from idp.services.account.passwords import policy_of
from idp.services.account.profile import account_of
from idp.services.authentication.presence import Present
from idp.services.tickets import Purpose
from idp.services.work import Office
from idp.web.own.profile import PATH, ProfilePages
from idp.web.shell.cookies import Cookies
from idp.web.shell.forms import EMPTY, Field, Filled, read
from idp.web.shell.http import source
from idp.web.texts.passwords import broken_rules, rules_of
from idp.web.texts.told import hour

CONFIRM, OBJECT = "/email-bevestigen", "/email-bezwaar"
_EMAIL = Field("email", canonical, wrong="V03", longest=254)
_PASSWORDS = (
    Field("current-password", lambda text: text, secret=True),
    Field("new-password", lambda text: text, secret=True),
)


def blueprint(office: Office, cookies: Cookies) -> Blueprint:
    """The addresses of such changes, and of the links in the mails about them."""
    pages = Blueprint("profile_changes", __name__)
    views = _Views(office, cookies)
    both = ["GET", "POST"]
    for path, view in (
        (f"{PATH}/email", views.email),
        (f"{PATH}/wachtwoord", views.password),
        (CONFIRM, views.confirm),
        (OBJECT, views.object),
    ):
        pages.add_url_rule(path, endpoint=path.strip("/").replace("/", "-"), view_func=view, methods=both)
    return pages


class _Views(ProfilePages):
    """The views of such changes."""

    def email(self) -> Response:
        """Ask for another address; behind the second factor (F43)."""
        who = self.who()
        if who is None:
            return self.door(strong=True)
        first = self.proven(who)
        if first is not None:
            return first
        with self._office.reading() as connection:
            now = str(account_of(connection, who.account).email)
        if request.method == "GET":
            return self.page("profile/email", now=now)
        filled = read(request.form, (_EMAIL,))
        if not filled.problems and filled["email"] == now:
            filled = filled.fail("R17", "email")
        if filled.problems:
            return self.page("profile/email", filled, 422, now=now)
        if not addresses.ask_change(self._office, who.account, filled["email"]):
            return self.page("profile/email", filled.fail("R13"), 429, now=now)
        return self.page("profile/email-sent", new=filled["email"])

    def password(self) -> Response:
        """Choose another password; behind the second factor of who has one."""
        who = self.who()
        if who is None:
            return self.door()
        first = self.proven(who) if self.has_second(who) else None
        if first is not None:
            return first
        if request.method == "GET":
            return self._passwords(who)
        filled = read(request.form, _PASSWORDS)
        if filled.problems:
            return self._passwords(who, filled, 422)
        wish = Wish(who.account, self.browser().session, filled["current-password"], filled["new-password"], source())
        done = replace_password(self._office, wish)
        if isinstance(done, NotReplaced):
            return self._not_replaced(who, filled, done)
        response = self.page("profile/password-done")
        if done.session:
            self._cookies.keep_session(response, done.session)
        return response

    def confirm(self) -> Response:
        """The link of the new address; its secret leaves the address before anything is shown."""
        return self._linked(CONFIRM, Purpose.EMAIL_CONFIRMATION, "profile/email-confirm", "profile/email-done")

    def object(self) -> Response:
        """The link of the old address; whoever reads it may object without logging in."""
        return self._linked(OBJECT, Purpose.EMAIL_OBJECTION, "profile/email-object", "profile/email-restored")

    def _linked(self, path: str, purpose: Purpose, ask: str, done: str) -> Response:
        moved = self.put_away(purpose.value, path)
        if moved is not None:
            return moved
        secret = session.get(purpose.value, "")
        change = addresses.change_of(self._office, secret, purpose)
        if change is None:
            return self.page("link-over", status=410)
        if request.method == "GET":
            return self.page(ask, change=change)
        use = addresses.confirm if purpose is Purpose.EMAIL_CONFIRMATION else addresses.object_to
        if not use(self._office, secret, change):
            return self.page("link-over", status=410)
        session.pop(purpose.value, None)
        return self.page(done, change=change)

    def _passwords(self, who: Present, filled: Filled = EMPTY, status: int = 200) -> Response:
        policy = policy_of(self._office, who.account)
        with self._office.reading() as connection:
            username = account_of(connection, who.account).username
        return self.page("profile/password", filled, status, rules=rules_of(policy), username=username)

    def _not_replaced(self, who: Present, filled: Filled, why: NotReplaced) -> Response:
        if why.until is not None:
            wait = hour(why.until)
            return self._passwords(who, filled.fail("L05", "current-password", time=wait), 429)
        if why.broken:
            rules = broken_rules(why.broken, policy_of(self._office, who.account))
            return self._passwords(who, filled.fail("R04", "new-password", rules=rules), 422)
        return self._passwords(who, filled.fail("R16", "current-password"), 422)
