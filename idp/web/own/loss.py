"""The pages for a lost responder: report it, prove who you are, let a colleague speak for you, object (RUL-14)."""

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, Response, request, session

from idp.services.authentication.presence import Present
from idp.services.second_factor import loss, resets
from idp.services.second_factor.recovery_codes import codes_left
from idp.services.work import Office
from idp.web.own.pages import OwnPages
from idp.web.shell.cookies import Cookies
from idp.web.shell.forms import EMPTY, Field, Filled, read
from idp.web.shell.http import source
from idp.web.texts.told import hour

PERMIT, PAIR = "pairing-permit", "/responder-koppelen"
_COLLEAGUE, _OBJECTION = "colleague", "objection"
_CODE = Field("recovery-code", secret=True, longest=40)


def blueprint(office: Office, cookies: Cookies) -> Blueprint:
    """The addresses of a loss."""
    pages = Blueprint("loss", __name__)
    views = _Views(office, cookies)
    both = ["GET", "POST"]
    pages.add_url_rule("/responder-kwijt", endpoint="lost", view_func=views.lost, methods=both)
    pages.add_url_rule("/collega-bevestigen", endpoint="colleague", view_func=views.colleague, methods=both)
    pages.add_url_rule("/bezwaar", endpoint="object", view_func=views.object, methods=both)
    return pages


class _Views(OwnPages):
    """The views of a loss."""

    def lost(self) -> Response:
        """Report a responder as lost, then the ways to another one; only for who gave the password (SEC-29)."""
        who = self.who()
        if who is None:
            return self.log_in_first()
        acts: dict[str, Callable[[Present], Response]] = {
            "report": self._report,
            "recovery-code": self._code,
            "manager": self._managers,
            "reset": self._reset,
            "finish": self._finish,
        }
        act = acts.get(request.form.get("step", "")) if request.method == "POST" else None
        return self._ways(who) if act is None else act(who)

    def colleague(self) -> Response:
        """A manager is asked whether a colleague lost the responder; the secret leaves the address first."""
        moved = self.put_away(_COLLEAGUE, "/collega-bevestigen")
        if moved is not None:
            return moved
        who = self.who()
        if who is None or not who.strong:
            return self.log_in_first() if who is None else self.step_up_first()
        secret = session.get(_COLLEAGUE, "")
        asked = loss.colleague(self._office, who.account, secret)
        if asked is None:
            return self.page("link-over", status=410)
        answer = request.form.get("step", "") if request.method == "POST" else ""
        if answer not in ("confirm", "deny"):
            return self.page("colleague", colleague=asked)
        if not loss.confirm(self._office, who.account, secret, answer == "confirm"):
            return self.page("link-over", status=410)
        session.pop(_COLLEAGUE, None)
        return self.page("colleague-done", colleague=asked, confirmed=answer == "confirm")

    def object(self) -> Response:
        """Object to a reset; whoever was told may, without logging in."""
        moved = self.put_away(_OBJECTION, "/bezwaar")
        if moved is not None:
            return moved
        secret = session.get(_OBJECTION, "")
        if request.method == "POST":
            if not resets.object_to(self._office, secret):
                return self.page("link-over", status=410)
            session.pop(_OBJECTION, None)
            return self.page("objected")
        return self.page("object") if resets.objectable(self._office, secret) else self.page("link-over", status=410)

    def _ways(self, who: Present, filled: Filled = EMPTY, status: int = 200, asked: int | None = None) -> Response:
        with self._office.work("person") as work:
            if loss.has_responder(work, who.account):
                return self.page("report-loss", filled, status)
            waiting = resets.waiting(work, who.account)
            left = codes_left(work.connection, who.account)
        hours = self._office.settings.recovery.reset_hours
        facts = {"waiting": waiting, "codes_left": left, "managers": asked, "reset_hours": hours}
        return self.page("lost-ways", filled, status, **facts)

    def _report(self, who: Present) -> Response:
        with self._office.work("person") as work:
            loss.report(work, who.account)
        # A session that was opened with the responder ended with it; a login under way goes on.
        return self.to("/responder-kwijt") if self.login() else self.page("reported")

    def _code(self, who: Present) -> Response:
        filled = read(request.form, (_CODE,))
        if filled.problems:
            return self._ways(who, filled, 422)
        found = loss.by_code(self._office, who.account, filled["recovery-code"], source())
        if isinstance(found, datetime):
            return self._ways(who, filled.fail("L05", time=hour(found)), 429)
        if found is None:
            return self._ways(who, filled.fail("R12", "recovery-code"), 422)
        session[PERMIT] = found
        return self.to(PAIR)

    def _managers(self, who: Present) -> Response:
        with self._office.work("person") as work:
            asked = loss.ask_managers(work, who.account)
        if asked is None:
            return self._ways(who, EMPTY.fail("R13"), 429)
        return self._ways(who, asked=asked)

    def _reset(self, who: Present) -> Response:
        with self._office.work("person") as work:
            begun = resets.ask_reset(work, who.account)
        return self._ways(who, EMPTY.fail("R13"), 429) if begun is None else self._ways(who)

    def _finish(self, who: Present) -> Response:
        with self._office.work("person") as work:
            found = resets.finish(work, who.account)
        if found is None:
            return self._ways(who, EMPTY.fail("R11"), 409)
        session[PERMIT] = found
        return self.to(PAIR)
