"""Pages on which people look after their own login: who is at the browser, and what every such page is told."""

import re

from flask import Response, g, render_template, request, session

from idp.services.authentication.login import Browser
from idp.services.authentication.presence import Present, present, underway
from idp.services.decision.logins import Login
from idp.services.work import Office
from idp.web.shell.cookies import Cookies
from idp.web.shell.forms import EMPTY, Filled
from idp.web.shell.http import see_other
from idp.web.shell.views import asked_view

_DOOR = "/inloggen"
_SECRET = re.compile(r"[0-9a-f]{64}", re.ASCII)


class OwnPages:
    """What views of such pages share; each keeps the login it interrupts in its address, as ``?login=``."""

    def __init__(self, office: Office, cookies: Cookies) -> None:
        self._office, self._cookies = office, cookies

    def who(self) -> Present | None:
        """Who is at the browser, as far as it is proven."""
        return present(self._office, self.browser(), request.args.get("login", "")[:64])

    def browser(self) -> Browser:
        """The secrets that the browser brought."""
        return self._cookies.read(request)

    def login(self) -> Login | None:
        """The login that is interrupted, where this browser began it."""
        return self.login_of(request.args.get("login", "")[:64])

    def login_of(self, login_id: str) -> Login | None:
        """The login of an id, while it is open and where this browser began it."""
        return underway(self._office, login_id, self.browser()) if login_id else None

    def page(self, template: str, filled: Filled = EMPTY, status: int = 200, **context: object) -> Response:
        """A page below templates: of a responder where no folder is named."""
        return self.page_within(self.login(), template, filled, status, **context)

    def page_within(
        self, login: Login | None, template: str, filled: Filled = EMPTY, status: int = 200, **context: object
    ) -> Response:
        """The same within a login that the address does not name."""
        if login is not None:
            g.wished_locales = login.asked.locales
        text = render_template(
            f"{template if '/' in template else f'responder/{template}'}.html",
            asked=asked_view(login.party, login.asked) if login else None,
            back=f"/login/{login.id}" if login else None,
            here=f"?login={login.id}" if login else "",
            filled=filled,
            **context,
        )
        return Response(text, status, content_type="text/html; charset=utf-8")

    def to(self, path: str) -> Response:
        """The way to another of these pages; what came in an address is not handed on to anybody."""
        login = self.login()
        response: Response = see_other(path + (f"?login={login.id}" if login else ""))
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    def put_away(self, name: str, path: str) -> Response | None:
        """Where a link brought a secret: into the signed cookie, and on to the address without it (R5)."""
        if "t" not in request.args:
            return None
        session[name] = request.args["t"] if _SECRET.fullmatch(request.args["t"]) else ""
        return self.to(path)

    def log_in_first(self) -> Response:
        """Nobody is known to be here yet: what to do."""
        return self.page("log-in-first", status=403, door=f"{_DOOR}?naar={request.path}")

    def step_up_first(self) -> Response:
        """The password alone is not enough to change anything (F43)."""
        return self.page("step-up-first", status=403, door=f"{_DOOR}?naar={request.path}&sterk=ja")
