"""The SAML endpoints; a message of a relying party carries its own proof, so no form token is asked of it."""

from flask import Blueprint, Response

from idp.protocols.message import BadRequest
from idp.protocols.saml import SamlCodec, soap_refusal
from idp.services.work import Office
from idp.web.errors import note_refusal
from idp.web.http import incoming, outgoing
from idp.web.login import LoginViews

PREFIXES = ("/saml", "/saml/1.13", "/saml/1.11")


def blueprint(office: Office, codec: SamlCodec, login: LoginViews) -> Blueprint:
    """Single sign-on and artifact resolution of every profile; their metadata are prebuilt documents."""
    pages = Blueprint("saml", __name__)

    def sso() -> Response:
        return login.arrive(codec.read(office, incoming(), office.clock.now()))

    def sso_by_key(key: str) -> Response:
        return sso()

    def artifact() -> Response:
        try:
            return outgoing(codec.resolve(office, incoming(), office.clock.now()))
        except BadRequest as error:
            return outgoing(soap_refusal(error, note_refusal(office, error)))

    for prefix in PREFIXES:
        pages.add_url_rule(f"{prefix}/artifact", endpoint="artifact", view_func=artifact, methods=["POST"])
        pages.add_url_rule(f"{prefix}/sso", endpoint="sso", view_func=sso, methods=["GET", "POST"])
        # The same beside a key of ours: it tells which of our metadata the sender works with.
        pages.add_url_rule(f"{prefix}/sso/<key>", endpoint="sso_by_key", view_func=sso_by_key, methods=["GET", "POST"])
    return pages
