"""Our cookies: a secret that binds a login to its browser, and the secret of a kept session."""

import re

from flask import Request, Response

from idp.services.authentication.login import Browser
from idp.services.mail.notices import mark_of
from idp.services.sessions.kept import state_of
from idp.services.work import Office

_SECRET_LENGTH = 64
_MOST_KNOWN, _YEAR = 8, 365 * 24 * 3600
_KNOWN = re.compile(r"[0-9a-f]{24}(\.[0-9a-f]{24}){0,7}", re.ASCII)


class Cookies:
    """Reads and writes our cookies under the names that the base URL allows (RUL-2, SEC-33)."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._secure = office.settings.secure
        prefix = "__Host-idp-" if self._secure else "idp-"
        self.browser_name, self.session_name = prefix + "browser", prefix + "sso"
        self.known_name = prefix + "known"
        # Read in a frame on pages of clients, so it is neither of this host's pages alone nor hidden from scripts.
        self.state_name = "__Secure-idp-state" if self._secure else "idp-state"

    def read(self, request: Request) -> Browser:
        """The secrets the browser brought, empty where absent or misshapen."""
        known = request.cookies.get(self.known_name, "")
        secrets = _secret(request, self.browser_name), _secret(request, self.session_name)
        return Browser(*secrets, known if _KNOWN.fullmatch(known) else "")

    def new_browser(self, session: str) -> Browser:
        """A secret for a browser that has none."""
        return Browser(self._office.entropy.bytes(_SECRET_LENGTH // 2).hex(), session)

    def know(self, response: Response, request: Request, account: str) -> None:
        """Let the browser show from now on that this account was used in it; it is no secret and proves nothing."""
        mark, known = mark_of(self._office, account), self.read(request).known
        if mark in known.split("."):
            return
        marks = ".".join([mark, *known.split(".")][:_MOST_KNOWN]).strip(".")
        name, safe = self.known_name, self._secure
        response.set_cookie(name, marks, _YEAR, path="/", secure=safe, httponly=True, samesite="Lax")

    def bind(self, response: Response, browser: Browser) -> None:
        """Let the browser keep its binding secret."""
        self._set(response, self.browser_name, browser.id)

    def keep_session(self, response: Response, secret: str) -> None:
        """Let the browser keep a session just opened."""
        self._set(response, self.session_name, secret)

    def forget_session(self, response: Response) -> None:
        """Let the browser drop its session."""
        response.delete_cookie(self.session_name, path="/", secure=self._secure, httponly=True, samesite="Lax")
        if self._office.settings.oidc.session_frame:
            response.delete_cookie(self.state_name, path="/", secure=self._secure, samesite=self._framed)

    def tell_state(self, response: Response, session: str | None) -> None:
        """Let frames of ours tell this session from another, where that is asked for; it is no secret (RUL-31)."""
        if session and self._office.settings.oidc.session_frame:
            state = state_of(self._office, session)
            response.set_cookie(self.state_name, state, path="/", secure=self._secure, samesite=self._framed)

    @property
    def _framed(self) -> str:
        # Over http browsers keep no cookie for frames of other sites; ports of one host are the same site.
        return "None" if self._secure else "Lax"

    def _set(self, response: Response, name: str, value: str) -> None:
        response.set_cookie(name, value, path="/", secure=self._secure, httponly=True, samesite="Lax")


def _secret(request: Request, name: str) -> str:
    value = request.cookies.get(name, "")
    return value if len(value) == _SECRET_LENGTH and value.isascii() and value.isalnum() else ""
