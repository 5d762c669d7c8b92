"""The page where a person types the code of a device, sees who asks, and goes on to log in (RFC 8628 section 3.3)."""

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, Response, render_template, request

from idp.services.authentication.login import Incoming
from idp.services.throttle import ask, give_back
from idp.services.tokens.devices import Pending, Poll, decide, spelled_of, waiting
from idp.services.work import Office
from idp.web.login.views import LoginViews
from idp.web.shell.http import source
from idp.web.shell.views import asked_view
from idp.web.texts import told as texts
from idp.web.texts.told import Problem

_LONGEST = 40


def blueprint(office: Office, login: LoginViews) -> Blueprint:
    """``/apparaat`` and where it ends."""
    pages = Blueprint("device", __name__)

    def show() -> str:
        return _code_page(request.args.get("user_code", "")[:_LONGEST])

    def step() -> Response | str | tuple[str, int]:
        typed = request.form.get("user_code", "")[:_LONGEST]
        found = _found(office, typed)
        if not isinstance(found, Pending):
            wait = isinstance(found, datetime)
            fault = texts.problem("L05" if wait else "DEVICE_CODE", "user_code")
            return _code_page(typed, fault), 429 if wait else 422
        return _go_on(office, login, found, typed)

    pages.add_url_rule("/apparaat", endpoint="show", view_func=show)
    pages.add_url_rule("/apparaat", endpoint="step", view_func=step, methods=["POST"])
    for name in ("klaar", "niet-ingelogd"):
        pages.add_url_rule(f"/apparaat/{name}", endpoint=name, view_func=_end_page(name == "klaar"))
    return pages


def _go_on(office: Office, login: LoginViews, found: Pending, typed: str) -> Response | str | tuple[str, int]:
    """From the code to the question who asks, and from there to the login or to a refusal."""
    party = office.directory.party_by_id(found.party)
    if party is None:
        return _code_page(typed, texts.problem("DEVICE_CODE", "user_code")), 422
    answer = request.form.get("step", "")
    if answer == "device-agree":
        return login.arrive(Incoming(party, found.asked))
    if answer == "device-refuse":
        with office.work("person") as work:
            decide(work, party, found.id, Poll.DENIED)
        return _end_page(False)()
    asked = asked_view(party, found.asked)
    return render_template("device/confirm.html", asked=asked, application=party.name, user_code=spelled_of(typed))


def _found(office: Office, typed: str) -> Pending | datetime | None:
    """The device of a code; guesses are counted before they are looked at, and a right one is given back (SEC-28)."""
    with office.work("person") as work:
        allowed = ask(work, "device", source(), source())
    if isinstance(allowed, datetime):
        return allowed
    found = waiting(office, typed, office.clock.now())
    if found is not None:
        with office.work("person") as work:
            give_back(work, allowed)
    return found


def _code_page(typed: str, problem: Problem | None = None) -> str:
    return render_template("device/code.html", user_code=typed, problem=problem)


def _end_page(granted: bool) -> Callable[[], str]:
    return lambda: render_template("device/end.html", granted=granted)
