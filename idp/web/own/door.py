"""``/inloggen``: the door to our own pages, which is the same login as everywhere."""

from flask import Blueprint, Response, request

from idp.protocols.own import OwnCodec
from idp.services.work import Office
from idp.web.login.views import LoginViews

PATH = "/inloggen"


def blueprint(office: Office, views: LoginViews) -> Blueprint:
    """The address of the door: ``?naar=`` is the page, ``?sterk=ja`` asks the second factor as well (F43)."""
    pages = Blueprint("own_login", __name__)

    def enter() -> Response:
        return views.arrive(OwnCodec().ask(office, request.args.get("naar", ""), request.args.get("sterk") == "ja"))

    pages.add_url_rule(PATH, endpoint="enter", view_func=enter)
    return pages
