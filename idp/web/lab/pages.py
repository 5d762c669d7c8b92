"""The pages of the laboratory: personas with their codes, who gets in where, mail, clock, and how to connect."""

import re
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, abort, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from idp.lab.authority import BUNDLE_PASSWORD, CLIENTS, FOLDER, ROOT
from idp.lab.clock import BadTime, change, clock_of
from idp.lab.inbox import message, messages, waiting
from idp.lab.pocket import shown_codes
from idp.lab.seed import reset
from idp.lab.world import World
from idp.services.work import Office
from idp.settings import is_local
from idp.web.lab import views
from idp.web.lab.vocabulary import vocabulary
from idp.web.shell.http import host_name
from idp.web.texts.told import Problem

# Longer numbers lead out of the calendar, and the longest cannot be read.
_SECONDS = re.compile("[0-9]{1,12}")
# What the buttons of the clock's page ask of the clock.
_STEPS: dict[str, dict[str, object]] = {
    "freeze": {"frozen": True},
    "unfreeze": {"frozen": False},
    "release": {"release": True},
}


@dataclass(frozen=True, slots=True)
class ClockView:
    """How the laboratory's clock stands."""

    now: datetime
    frozen: bool
    moved: bool


def blueprint(office: Office, world: World) -> Blueprint:
    """The pages below /lab; the interface is ``lab_api``, the portals are ``portals``."""
    pages = Blueprint("lab", __name__, url_prefix="/lab")
    shown = _LabViews(office, world)
    pages.before_request(_local)
    pages.add_url_rule("", endpoint="start", view_func=shown.start)
    pages.add_url_rule("/personas/<username>", endpoint="persona", view_func=shown.persona)
    pages.add_url_rule("/inbox", endpoint="inbox", view_func=shown.inbox)
    pages.add_url_rule("/inbox/<message_id>", endpoint="message", view_func=shown.message)
    pages.add_url_rule("/inbox/<message_id>/html", endpoint="message_html", view_func=shown.message_html)
    pages.add_url_rule("/clock", endpoint="clock", view_func=shown.clock)
    pages.add_url_rule("/clock", endpoint="set_clock", view_func=shown.set_clock, methods=["POST"])
    pages.add_url_rule("/vocabulary", endpoint="vocabulary", view_func=vocabulary)
    pages.add_url_rule("/certificates", endpoint="certificates", view_func=shown.certificates)
    pages.add_url_rule("/connect", endpoint="connect", view_func=shown.connect)
    return pages


def _local() -> None:
    """Known secrets are shown on loopback and below .test alone (SEC-44)."""
    if not is_local(host_name()):
        abort(403)


class _LabViews:
    """The views of the laboratory."""

    def __init__(self, office: Office, world: World) -> None:
        self._office, self._world = office, world

    def start(self) -> str:
        """Everything on one page."""
        codes = shown_codes(self._office, tuple(one.id for one in self._world.personas), self._world.clocks())
        return render_template(
            "lab/start.html",
            personas=[views.persona_line(one, codes.get(one.id)) for one in self._world.personas],
            services=[views.service_view(one) for one in self._services()],
            legend=views.legend(self._world),
            clock=self._clock(),
            connect=views.connect(self._office.settings),
        )

    def persona(self, username: str) -> str:
        """One persona."""
        found = self._world.persona(username)
        if found is None:
            abort(404)
        code = shown_codes(self._office, (username,), self._world.clocks()).get(username)
        return render_template(
            "lab/persona.html",
            persona=views.persona_page(found, code, self._world, self._office),
            outcomes=[views.outcome(one, found.expected[one.slug]) for one in self._services()],
        )

    def inbox(self) -> str:
        """What would have been sent."""
        return render_template("lab/inbox.html", messages=messages(self._office), waiting=waiting(self._office))

    def message(self, message_id: str) -> str:
        """One mail or letter."""
        found = message(self._office, message_id)
        if found is None:
            abort(404)
        return render_template("lab/message.html", message=found)

    def message_html(self, message_id: str) -> Response:
        """A mail as a mail reader shows it: its own style and nothing else."""
        found = message(self._office, message_id)
        if found is None or not found.html:
            abort(404)
        policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox allow-top-navigation"
        return Response(
            found.html, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": policy}
        )

    def clock(self, problem: Problem | None = None) -> str:
        """The clock's page."""
        return render_template("lab/clock.html", clock=self._clock(), problem=problem)

    def set_clock(self) -> Response | Answer | tuple[str, int]:
        """Do what a button of the clock's page says."""
        step = request.form.get("step", "")
        try:
            if step == "reset":
                reset(self._office)
            else:
                change(clock_of(self._office), self._wish(step))
        except BadTime:
            text = _("Schrijf een moment zoals 2026-01-15T10:00:00+01:00.")
            return self.clock(Problem("BAD_TIME", _("Dat moment kennen wij niet"), text, "now")), 400
        return redirect("/lab/clock", 303)

    def certificates(self) -> str:
        """Certificates to log in with, and how to get them into a browser."""
        return render_template(
            "lab/certificates.html",
            certificates=[views.certificate(one) for one in CLIENTS],
            password=BUNDLE_PASSWORD,
            root=f"/lab/{FOLDER}/{ROOT}.crt",
        )

    def connect(self) -> str:
        """Settings to copy into one's own application."""
        settings = self._office.settings
        return render_template("lab/connect.html", connect=views.connect(settings), examples=views.examples(settings))

    def _wish(self, step: str) -> object:
        if step == "set":
            return {"now": request.form.get("now", ""), "frozen": clock_of(self._office).setting().frozen}
        if step == "advance":
            seconds = request.form.get("seconds", "")
            return {"advance_seconds": int(seconds) if _SECONDS.fullmatch(seconds) else seconds}
        return _STEPS.get(step)

    def _services(self) -> list[views.Service]:
        known = {service.slug: service for service in self._office.directory.services()}
        return [known[slug] for slug in self._world.services if slug in known]

    def _clock(self) -> ClockView:
        clock = clock_of(self._office)
        return ClockView(clock.now(), clock.setting().frozen, clock.moved)
