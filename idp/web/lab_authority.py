"""What the laboratory's certificate authority answers, and its certificates for a browser."""

from pathlib import Path

from flask import Blueprint, Response, abort, request

from idp.lab.authority import FOLDER, Authority
from idp.services.work import Office
from idp.settings import is_local
from idp.web.http import host_name

_BUNDLE = "application/x-pkcs12"


def blueprint(office: Office) -> Blueprint:
    """Revocation lists, OCSP, and one PKCS #12 bundle per certificate; for programs, so without form tokens."""
    pages = Blueprint("lab_authority", __name__, url_prefix=f"/lab/{FOLDER}")

    @pages.before_request
    def _local() -> None:
        """Keys that everyone may have are given on loopback and below .test alone (SEC-44)."""
        if not is_local(host_name()):
            abort(403)

    @pages.get("/<name>.crl")
    def revoked(name: str) -> Response:
        """The revocation list of an authority."""
        try:
            found = _authority(office).revoked(name, office.clock.now())
        except KeyError:
            abort(404)
        return Response(found, content_type="application/pkix-crl")

    @pages.post("/ocsp")
    def answer() -> Response:
        """The answer to an OCSP request."""
        found = _authority(office).answer(request.get_data(cache=False), office.clock.now())
        return Response(found, content_type="application/ocsp-response")

    @pages.get("/<name>.p12")
    def bundle(name: str) -> Response:
        """A certificate with its key, to be imported into a browser."""
        try:
            found = _authority(office).bundle(name)
        except KeyError:
            abort(404)
        return Response(
            found, content_type=_BUNDLE, headers={"Content-Disposition": f"attachment; filename={name}.p12"}
        )

    return pages


def _authority(office: Office) -> Authority:
    try:
        return Authority(Path(office.settings.paths.data) / FOLDER)
    except FileNotFoundError:
        abort(404)
