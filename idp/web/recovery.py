"""The pages for people who lost their username or password (F38 to F41)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, g, render_template, request, session

from idp.domain import emails
from idp.services import recovery
from idp.services.logins import Login
from idp.services.own import underway
from idp.services.work import Office
from idp.web.cookies import Cookies
from idp.web.forms import EMPTY, Field, Filled, read
from idp.web.http import see_other, source
from idp.web.passwordtexts import broken_rules, rules_of
from idp.web.texts import hour
from idp.web.views import asked_view

_SECRET = re.compile(r"[0-9a-f]{64}", re.ASCII)
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


class _Views:
    """The views of recovery; each keeps the login it interrupts in its address, as ``?login=``."""

    def __init__(self, office: Office, cookies: Cookies) -> None:
        self._office, self._cookies = office, cookies

    def lost(self) -> Response:
        """Three ways on: username, password, or the code from a letter (F41)."""
        login = self._login(request.args.get("login", ""))
        if request.method == "GET":
            return self._page("lost", login)
        filled = read(request.form, (_CODE,))
        if filled.problems:
            return self._page("lost", login, filled, 422)
        # The code is neither looked at nor kept: the page it leads to says what to do with it today (RUL-43).
        return _to("/activeren", None)

    def asking(self, kind: Kind) -> Response:
        """Ask for what was lost; the answer is the same for whoever is not known here (SEC-27)."""
        login = self._login(request.args.get("login", ""))
        if request.method == "GET":
            return self._page(kind.template, login)
        filled = read(request.form, (kind.field,))
        if filled.problems:
            return self._page(kind.template, login, filled, 422)
        until = kind.ask(self._office, filled[kind.field.name], login.id if login else "", source())
        if until is None:
            return _to(f"{kind.path}/verstuurd", login)
        response = self._page(kind.template, login, filled.fail("R05", time=hour(until)), 429)
        wait = (until - self._office.clock.now()).total_seconds()
        response.headers["Retry-After"] = str(max(int(wait) + 1, 1))
        return response

    def sent(self, kind: Kind) -> Response:
        """What happens now, for everybody alike (R01)."""
        return self._page("sent", self._login(request.args.get("login", "")), kind=kind.template, path=kind.path)

    def new(self) -> Response:
        """Choose a new password with a link; its secret leaves the address before anything is shown (R5)."""
        if "t" in request.args:
            session[_LINK] = request.args["t"] if _SECRET.fullmatch(request.args["t"]) else ""
            return _to("/wachtwoord-nieuw", None, "no-referrer")
        link = recovery.link_of(self._office, session.get(_LINK, ""))
        if link is None:
            return self._page("link-over", None, status=410)
        login = self._login(link.login)
        shown: dict[str, Any] = {"username": link.username, "rules": rules_of(link.policy)}
        if request.method == "GET":
            return self._page("new-password", login, **shown)
        filled = read(request.form, (_PASSWORD,))
        if filled.problems:
            return self._page("new-password", login, filled, 422, **shown)
        broken = recovery.choose_password(self._office, session[_LINK], link, filled["new-password"], source())
        if broken is None:
            return self._page("link-over", None, status=410)
        if broken:
            wrong = filled.fail("R04", "new-password", rules=broken_rules(broken, link.policy))
            return self._page("new-password", login, wrong, 422, **shown)
        session.pop(_LINK, None)
        session[_LOGIN] = link.login
        return _to("/wachtwoord-nieuw/klaar", None)

    def done(self) -> Response:
        """The password is changed: back to the login it was needed for."""
        return self._page("done", self._login(session.get(_LOGIN, "")))

    def _login(self, login_id: str) -> Login | None:
        """The login that is interrupted, where this browser began it."""
        return underway(self._office, login_id, self._cookies.read(request)) if login_id else None

    def _page(
        self, template: str, login: Login | None, filled: Filled = EMPTY, status: int = 200, **context: object
    ) -> Response:
        if login is not None:
            g.wished_locales = login.asked.locales
        page = render_template(
            f"recovery/{template}.html",
            asked=asked_view(login.party, login.asked) if login else None,
            back=f"/login/{login.id}" if login else None,
            here=f"?login={login.id}" if login else "",
            filled=filled,
            **context,
        )
        return Response(page, status, content_type="text/html; charset=utf-8")


def _to(path: str, login: Login | None, referrer: str = "") -> Response:
    response: Response = see_other(path + (f"?login={login.id}" if login else ""))
    if referrer:
        response.headers["Referrer-Policy"] = referrer
    return response
