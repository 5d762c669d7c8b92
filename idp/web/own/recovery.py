"""The pages for people who lost their username or password (F38 to F41)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, request, session

from idp.domain import emails
from idp.services.account import recovery
from idp.services.work import Office
from idp.web.own.pages import OwnPages
from idp.web.shell.cookies import Cookies
from idp.web.shell.forms import Field, read
from idp.web.shell.http import see_other, source, wait_until
from idp.web.texts.passwords import broken_rules, rules_of
from idp.web.texts.told import hour

_LINK, _LOGIN = "password-link", "recovered-login"
_CODE = Field("code")
_PASSWORD = Field("new-password", read=lambda text: text, secret=True)

Ask = Callable[[Office, str, str, str], datetime | None]


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the two things people lose: its page, the field it asks, and the service that takes the question."""

    path: str
    template: str
    field: Field
    ask: Ask


KINDS = (
    Kind("/gebruikersnaam-vergeten", "username", Field("email", emails.canonical, wrong="V03"), recovery.ask_usernames),
    Kind("/wachtwoord-vergeten", "password", Field("username"), recovery.ask_password),
)


def blueprint(office: Office, cookies: Cookies) -> Blueprint:
    """The addresses of recovery."""
    pages = Blueprint("recovery", __name__)
    views = _Views(office, cookies)
    pages.add_url_rule("/gegevens-kwijt", endpoint="lost", view_func=views.lost, methods=["GET", "POST"])
    for kind in KINDS:
        for path, endpoint, view in (
            (kind.path, kind.template, views.asking),
            (f"{kind.path}/verstuurd", f"{kind.template}-sent", views.sent),
        ):
            methods = ["GET", "POST"] if view == views.asking else ["GET"]
            pages.add_url_rule(path, endpoint=endpoint, view_func=view, methods=methods, defaults={"kind": kind})
    pages.add_url_rule("/wachtwoord-nieuw", endpoint="new", view_func=views.new, methods=["GET", "POST"])
    pages.add_url_rule("/wachtwoord-nieuw/klaar", endpoint="done", view_func=views.done)
    return pages


class _Views(OwnPages):
    """The views of recovery."""

    def lost(self) -> Response:
        """Three ways on: username, password, or the code from a letter (F41)."""
        if request.method == "GET":
            return self.page("recovery/lost")
        filled = read(request.form, (_CODE,))
        if filled.problems:
            return self.page("recovery/lost", filled, 422)
        # The code is neither looked at nor kept: the page it leads to says what to do with it today (RUL-43).
        return see_other("/activeren")

    def asking(self, kind: Kind) -> Response:
        """Ask for what was lost; the answer is the same for whoever is not known here (SEC-27)."""
        template = f"recovery/{kind.template}"
        if request.method == "GET":
            return self.page(template)
        filled = read(request.form, (kind.field,))
        if filled.problems:
            return self.page(template, filled, 422)
        login = self.login()
        until = kind.ask(self._office, filled[kind.field.name], login.id if login else "", source())
        if until is None:
            return self.to(f"{kind.path}/verstuurd")
        response = self.page(template, filled.fail("R05", time=hour(until)), 429)
        wait_until(response, until, self._office.clock.now())
        return response

    def sent(self, kind: Kind) -> Response:
        """What happens now, for everybody alike (R01)."""
        return self.page("recovery/sent", kind=kind.template, path=kind.path)

    def new(self) -> Response:
        """Choose a new password with a link; its secret leaves the address before anything is shown (R5)."""
        moved = self.put_away(_LINK, "/wachtwoord-nieuw")
        if moved is not None:
            return moved
        link = recovery.link_of(self._office, session.get(_LINK, ""))
        if link is None:
            return self.page_within(None, "recovery/link-over", status=410)
        login = self.login_of(link.login)
        shown: dict[str, Any] = {"username": link.username, "rules": rules_of(link.policy)}
        if request.method == "GET":
            return self.page_within(login, "recovery/new-password", **shown)
        filled = read(request.form, (_PASSWORD,))
        if filled.problems:
            return self.page_within(login, "recovery/new-password", filled, 422, **shown)
        broken = recovery.choose_password(self._office, session[_LINK], link, filled["new-password"], source())
        if broken is None:
            return self.page_within(None, "recovery/link-over", status=410)
        if broken:
            wrong = filled.fail("R04", "new-password", rules=broken_rules(broken, link.policy))
            return self.page_within(login, "recovery/new-password", wrong, 422, **shown)
        session.pop(_LINK, None)
        session[_LOGIN] = link.login
        return see_other("/wachtwoord-nieuw/klaar")

    def done(self) -> Response:
        """The password is changed: back to the login it was needed for."""
        return self.page_within(self.login_of(session.get(_LOGIN, "")), "recovery/done")
