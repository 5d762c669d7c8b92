"""The SAML endpoints; a message of a relying party carries its own proof, so no form token is asked of it."""

from collections.abc import Callable

from flask import Blueprint, Response

from idp.protocols.message import BadRequest
from idp.protocols.saml import SamlCodec, is_soap, soap_refusal
from idp.services.work import Office
from idp.web.login.logout import LogoutViews
from idp.web.login.views import LoginViews
from idp.web.shell.errors import note_refusal
from idp.web.shell.http import incoming, outgoing

PREFIXES = ("/saml", "/saml/1.13", "/saml/1.11")


def blueprint(office: Office, codec: SamlCodec, login: LoginViews, logout: LogoutViews) -> Blueprint:
    """Single sign-on, logout and artifact resolution of every profile; their metadata are prebuilt documents."""
    pages = Blueprint("saml", __name__)

    def sso() -> Response:
        return login.arrive(codec.read(office, incoming(), office.clock.now()))

    def sso_by_key(key: str) -> Response:
        return sso()

    def artifact() -> Response:
        return _over_soap(office, lambda: outgoing(codec.resolve(office, incoming(), office.clock.now())))

    def slo() -> Response:
        message = incoming()
        if is_soap(message):
            return _over_soap(office, lambda: logout.arrive(message))
        return logout.arrive(message)

    for prefix in PREFIXES:
        pages.add_url_rule(f"{prefix}/slo", endpoint="slo", view_func=slo, methods=["GET", "POST"])
        pages.add_url_rule(f"{prefix}/artifact", endpoint="artifact", view_func=artifact, methods=["POST"])
        pages.add_url_rule(f"{prefix}/sso", endpoint="sso", view_func=sso, methods=["GET", "POST"])
        # The same beside a key of ours: it tells which of our metadata the sender works with.
        pages.add_url_rule(f"{prefix}/sso/<key>", endpoint="sso_by_key", view_func=sso_by_key, methods=["GET", "POST"])
    return pages


def _over_soap(office: Office, answer: Callable[[], Response]) -> Response:
    """The answer to a message over SOAP; what is refused is a SOAP fault there, for no person sees it."""
    try:
        return answer()
    except BadRequest as error:
        return outgoing(soap_refusal(error, note_refusal(office, error)))
