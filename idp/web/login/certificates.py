"""The address of the certificate listener: what a browser shows there, and the way back into its login (RUL-29)."""

from flask import Blueprint, Response, g

from idp.ports import Certificates
from idp.services.authentication.certificates import present
from idp.services.work import Office
from idp.web.shell.errors import page as error_page
from idp.web.shell.http import see_other

PATH = "/certificaat"


def blueprint(office: Office, judge: Certificates) -> Blueprint:
    """Where a login sends a browser to show its certificate."""
    pages = Blueprint("certificates", __name__, url_prefix=PATH)

    @pages.get("/<secret>")
    def show(secret: str) -> Response:
        """Judge what was shown, and lead back to where people log in."""
        shown = present(office, judge, secret[:64], g.certificates)
        if shown is None:
            return error_page(office, 410, "EXPIRED_PAGE")
        where = f"{office.settings.server.base_url}/login/{shown.login_id}?bewijs={shown.secret}"
        response = see_other(where)
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    return pages
