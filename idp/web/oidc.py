"""The OpenID Connect endpoints; clients prove themselves, so no form token is asked of them."""

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, Response, request
from werkzeug.exceptions import MethodNotAllowed

from idp.protocols.message import Codec, Document, HttpMessage
from idp.services.work import Office
from idp.web.http import incoming, outgoing
from idp.web.login import LoginViews

BackChannel = Callable[[Office, HttpMessage, datetime], Document]


def blueprint(office: Office, codec: Codec, login: LoginViews, back_channel: dict[str, BackChannel]) -> Blueprint:
    """``/oidc/authorize`` for the browser, and the back channel's endpoints by their name."""
    pages = Blueprint("oidc", __name__)

    def authorize() -> Response:
        # Looking at a link must not spend the request behind it.
        if request.method == "HEAD":
            raise MethodNotAllowed(["GET", "POST"])
        return login.arrive(codec.read(office, incoming(), office.clock.now()))

    def answers(endpoint: BackChannel) -> Callable[[], Response]:
        return lambda: outgoing(endpoint(office, incoming(), office.clock.now()))

    pages.add_url_rule("/oidc/authorize", endpoint="authorize", view_func=authorize, methods=["GET", "POST"])
    for name, endpoint in back_channel.items():
        methods = ["GET", "POST", "OPTIONS"] if name == "userinfo" else ["POST", "OPTIONS"]
        pages.add_url_rule(f"/oidc/{name}", endpoint=name, view_func=answers(endpoint), methods=methods)
    return pages
