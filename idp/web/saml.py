"""The SAML endpoints; a message of a relying party carries its own proof, so no form token is asked of it."""

from flask import Blueprint, Response

from idp.protocols.message import Codec
from idp.services.work import Office
from idp.web.http import incoming
from idp.web.login import LoginViews

PREFIXES = ("/saml", "/saml/1.13", "/saml/1.11")


def blueprint(office: Office, codec: Codec, login: LoginViews) -> Blueprint:
    """Single sign-on addresses of every profile; their metadata are prebuilt documents."""
    pages = Blueprint("saml", __name__)

    def sso() -> Response:
        return login.arrive(codec.read(office, incoming(), office.clock.now()))

    for prefix in PREFIXES:
        pages.add_url_rule(f"{prefix}/sso", endpoint="sso", view_func=sso, methods=["GET", "POST"])
    return pages
