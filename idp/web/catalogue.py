"""The scheme's service catalogue where others fetch it, beside our metadata."""

from flask import Blueprint, Response, request

from idp.protocols.saml.catalogue.writer import published
from idp.services.work import Office
from idp.web.shell.documents import prepare

PATH = "/saml/service-catalogue"


def blueprint(office: Office) -> Blueprint:
    """The one address; there is no document while the catalogue is empty."""
    pages = Blueprint("catalogue", __name__)

    @pages.get(PATH)
    def catalogue() -> Response:
        octets = published(office)
        if not octets:
            return Response("There are no services yet.", status=404, content_type="text/plain; charset=utf-8")
        prepared = prepare("application/xml", octets, office.settings.secure)
        answer = Response(octets, headers=prepared.headers)
        answer.make_conditional(request)
        return answer

    return pages
