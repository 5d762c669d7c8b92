"""The OpenID Connect endpoints; clients prove themselves, so no form token is asked of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, request
from werkzeug.exceptions import MethodNotAllowed

from idp.protocols.message import Codec, Document, HttpMessage
from idp.services.work import Office
from idp.web.login.logout import LogoutViews
from idp.web.login.views import LoginViews
from idp.web.session_frame import frame
from idp.web.shell.http import incoming, outgoing

BackChannel = Callable[[Office, HttpMessage, datetime], Document]


_METHODS = {
    "userinfo": ["GET", "POST", "OPTIONS"],
    "register/<client>": ["GET", "PUT", "DELETE", "OPTIONS"],
}


@dataclass(frozen=True, slots=True)
class Pages:
    """Who answers a browser: for a login, and for a logout."""

    login: LoginViews
    logout: LogoutViews


def blueprint(office: Office, codec: Codec, views: Pages, back_channel: Mapping[str, BackChannel]) -> Blueprint:
    """``/oidc/authorize`` and ``/oidc/logout`` for the browser, and the back channel's endpoints by their name."""
    pages = Blueprint("oidc", __name__)

    def authorize() -> Response:
        # Looking at a link must not spend the request behind it.
        if request.method == "HEAD":
            raise MethodNotAllowed(["GET", "POST"])
        return views.login.arrive(codec.read(office, incoming(), office.clock.now()))

    def answers(endpoint: BackChannel) -> Callable[[], Response]:
        return lambda **_part: outgoing(endpoint(office, incoming(), office.clock.now()))

    def leave() -> Response:
        if request.method == "HEAD":
            raise MethodNotAllowed(["GET", "POST"])
        return views.logout.asked(incoming())

    pages.add_url_rule("/oidc/authorize", endpoint="authorize", view_func=authorize, methods=["GET", "POST"])
    pages.add_url_rule("/oidc/logout", endpoint="logout", view_func=leave, methods=["GET", "POST"])
    if office.settings.oidc.session_frame:
        pages.add_url_rule("/oidc/session", endpoint="session", view_func=lambda: frame(views.logout.state_cookie))
    for name, endpoint in back_channel.items():
        methods = _METHODS.get(name, ["POST", "OPTIONS"])
        pages.add_url_rule(f"/oidc/{name}", endpoint=name, view_func=answers(endpoint), methods=methods)
    return pages
