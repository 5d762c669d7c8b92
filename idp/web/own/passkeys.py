"""The page for one's own security keys and passkeys."""

from flask import Blueprint, Response, request

from idp.services.authentication.presence import Present
from idp.services.second_factor import passkeys
from idp.services.work import Office
from idp.web.own.pages import OwnPages
from idp.web.shell.cookies import Cookies
from idp.web.shell.forms import EMPTY, Field, Filled, read

PATH = "/profiel/sleutels"
_LABEL = Field("label", lambda text: " ".join(text.split()) or None, longest=60)


def blueprint(office: Office, cookies: Cookies) -> Blueprint:
    """The address of one's own keys."""
    pages = Blueprint("passkeys", __name__)
    pages.add_url_rule(PATH, endpoint="own", view_func=_Views(office, cookies).own, methods=["GET", "POST"])
    return pages


class _Views(OwnPages):
    """The views of one's own keys; changes need the second factor."""

    def own(self) -> Response:
        """What one has; add one, take one away."""
        who = self.who()
        if who is None or not who.strong:
            return self.log_in_first() if who is None else self.step_up_first()
        step = request.form.get("step", "") if request.method == "POST" else ""
        if step == "add":
            return self._add(who)
        return self._remove(who) if step == "remove" else self._keys(who)

    def _add(self, who: Present) -> Response:
        filled = read(request.form, (_LABEL,))
        if filled.problems:
            return self._keys(who, filled, 422)
        if not passkeys.add(self._office, who, request.form.get("answer", ""), filled["label"]):
            return self._keys(who, filled.fail("L12"), 422)
        return self.to(PATH)

    def _remove(self, who: Present) -> Response:
        with self._office.work("person") as work:
            passkeys.remove(work, who.account, request.form.get("passkey", "")[:32])
        return self._keys(who)

    def _keys(self, who: Present, filled: Filled = EMPTY, status: int = 200) -> Response:
        with self._office.reading() as connection:
            held = passkeys.own_passkeys(connection, who.account)
        return self.page("passkeys", filled, status, keys=held, options=passkeys.offer(self._office, who))
