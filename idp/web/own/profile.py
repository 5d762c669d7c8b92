"""``/profiel``: what people see and settle about their own account (F43, F55)."""

import json
from datetime import date, datetime
from typing import Any

from flask import Blueprint, Response, request

from idp.domain.means import MeansStatus
from idp.services.account import activity, profile
from idp.services.authentication.credentials import responder_of
from idp.services.authentication.presence import Present
from idp.services.decision.conclusion import dutch_day
from idp.services.decision.explain import Reach, reach
from idp.services.second_factor.passkeys import own_passkeys
from idp.services.second_factor.recovery_codes import codes_left
from idp.services.sessions.ending import end_everything
from idp.services.work import Office
from idp.web.own.door import PATH as DOOR
from idp.web.own.pages import OwnPages
from idp.web.shell.cookies import Cookies
from idp.web.shell.http import see_other
from idp.web.shell.locale import LANGUAGES, spoken
from idp.web.texts import told as texts
from idp.web.texts.profile import DEEDS, MEANS_STATES

PATH = "/profiel"
_NEWEST = 5


def blueprint(office: Office, cookies: Cookies) -> Blueprint:
    """The addresses of the profile that change no secret."""
    pages = Blueprint("profile", __name__)
    views = _Views(office, cookies)
    both = ["GET", "POST"]
    for name, view in (("", views.overview), ("/sessies", views.sessions), ("/gegevens", views.data)):
        pages.add_url_rule(PATH + name, endpoint=f"own{name.replace('/', '-')}", view_func=view, methods=both)
    pages.get(f"{PATH}/activiteit", endpoint="activity")(views.deeds)
    pages.get(f"{PATH}/middel", endpoint="reach")(views.reach)
    pages.get(f"{PATH}/gegevens.json", endpoint="export")(views.export)
    return pages


class ProfilePages(OwnPages):
    """What the pages of the profile share: whoever is not known yet goes through the door and comes back."""

    def door(self, strong: bool = False) -> Response:
        """To our own login, and back to this page."""
        return see_other(f"{DOOR}?naar={request.path}" + ("&sterk=ja" if strong else ""))

    def proven(self, who: Present) -> Response | None:
        """Where to prove the second factor first; None for who did (F43)."""
        if who.strong:
            return None
        return self.door(strong=True) if self.has_second(who) else self.step_up_first()

    def has_second(self, who: Present) -> bool:
        """Whether the account has a second factor at all."""
        if responder_of(self._office, who.account) is not None:
            return True
        with self._office.reading() as connection:
            return bool(own_passkeys(connection, who.account))


class _Views(ProfilePages):
    """The views of the profile."""

    def overview(self) -> Response:
        """Everything at a glance; a stranger reads what the profile is for, and finds the door."""
        who = self.who()
        if who is None:
            return self.page("profile/welcome")
        if request.method == "POST":
            return self._speak(who)
        with self._office.reading() as connection:
            known = profile.account_of(connection, who.account)
            shown: dict[str, Any] = {
                "known": known,
                "name": " ".join(part for part in (known.first_name, known.infix, known.family_name) if part),
                "means": [
                    (one, MEANS_STATES[MeansStatus(one.status)]) for one in profile.means_of(connection, who.account)
                ],
                "codes_left": codes_left(connection, who.account),
                "keys": len(own_passkeys(connection, who.account)),
                "deeds": self._deeds(activity.deeds(self._office, connection, who.account, most=_NEWEST)),
            }
        return self.page("profile/overview", responder=responder_of(self._office, who.account), **shown)

    def deeds(self) -> Response:
        """What was done with this login, the newest first, page by page."""
        who = self.who()
        if who is None:
            return self.door()
        wished = request.args.get("pagina", "1")
        with self._office.reading() as connection:
            pages = max(-(-activity.count(connection, who.account) // activity.PAGE), 1)
            at = min(max(int(wished) if wished.isascii() and wished.isdecimal() and len(wished) < 7 else 1, 1), pages)
            found = activity.deeds(self._office, connection, who.account, at)
        return self.page("profile/activity", deeds=self._deeds(found), at=at, of=pages)

    def sessions(self) -> Response:
        """Where one is logged in; end one, or all (SEC-30)."""
        who = self.who()
        if who is None:
            return self.door()
        step = request.form.get("step", "") if request.method == "POST" else ""
        if step == "end-all":
            return self._end_all(who)
        if step == "end":
            with self._office.work("person") as work:
                profile.end_session(work, who.account, request.form.get("session", "")[:32])
            return see_other(f"{PATH}/sessies")
        with self._office.reading() as connection:
            found = profile.sessions_of(self._office, connection, who.account, self.browser().session)
        return self.page("profile/sessions", sessions=found)

    def data(self) -> Response:
        """What the organisation and we hold, the way to all of it, and the wish to be forgotten (F55)."""
        who = self.who()
        if who is None:
            return self.door()
        if request.method == "POST" and request.form.get("step") == "erase":
            first = self.proven(who) if self.has_second(who) else None
            return first or self._erase(who)
        with self._office.reading() as connection:
            known = profile.account_of(connection, who.account)
            held = profile.means_of(connection, who.account)
        until = profile.kept_until(held, dutch_day(self._office.clock.now()))
        return self.page("profile/data", known=known, means=held, until=until)

    def export(self) -> Response:
        """All of it as a file (F55); behind the second factor of who has one."""
        who = self.who()
        if who is None or (not who.strong and self.has_second(who)):
            return see_other(f"{DOOR}?naar={PATH}/gegevens&sterk=ja")
        text = json.dumps(profile.everything(self._office, who.account), indent=1, default=_plain, ensure_ascii=False)
        response = Response(text, content_type="application/json")
        response.headers["Content-Disposition"] = 'attachment; filename="profiel.json"'
        return response

    def reach(self) -> Response:
        """Try one's means: where one would be let in, and why not elsewhere, as a login would decide."""
        who = self.who()
        if who is None:
            return self.door()
        found = reach(self._office, who.account)
        let_in = [self._open(one) for one in found if one.refused is None]
        refused = [self._closed(one) for one in found if one.refused is not None]
        with self._office.reading() as connection:
            held = profile.means_of(connection, who.account)
        levels = sorted({one.level for one in held if one.status == MeansStatus.ACTIVE})
        return self.page("profile/reach", let_in=let_in, refused=refused, levels=levels, strong=self.has_second(who))

    def _speak(self, who: Present) -> Response:
        wished = request.form.get("language", "")
        if wished not in LANGUAGES:
            return see_other(PATH)
        with self._office.work("person") as work:
            profile.speak(work, who.account, wished)
        return see_other(f"{PATH}?lang={wished}")

    def _end_all(self, who: Present) -> Response:
        with self._office.work("person") as work:
            end_everything(work, who.account)
        response = self.page("profile/all-ended")
        self._cookies.forget_session(response)
        return response

    def _erase(self, who: Present) -> Response:
        with self._office.work("person") as work:
            until = profile.ask_erasure(work, who.account)
        return self.page("profile/erasure-asked", until=until)

    def _deeds(self, found: list[activity.Deed]) -> list[dict[str, Any]]:
        return [
            {
                "at": one.at,
                "what": DEEDS[one.event],
                "service": spoken(one.service) if one.service else "",
                "level": one.level,
                "organisation": one.organisation,
                "reference": one.reference,
            }
            for one in found
        ]

    def _open(self, one: Reach) -> dict[str, Any]:
        return {**_service(one), "organisations": one.organisations}

    def _closed(self, one: Reach) -> dict[str, Any]:
        objections = one.refused.objections if one.refused is not None else ()
        view = texts.refusal_view(objections, one.service.level.label)
        return {**_service(one), "reasons": view.reasons, "remedies": view.remedies}


def _service(one: Reach) -> dict[str, Any]:
    return {
        "name": spoken(one.service.name),
        "provider": spoken(one.service.provider.name),
        "level": one.service.level.label,
    }


def _plain(value: object) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} in an export")
