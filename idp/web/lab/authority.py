"""What the laboratory's certificate authority answers, and its certificates for a browser."""

from pathlib import Path

from flask import Blueprint, Response, abort, request

from idp.lab.authority import FOLDER, ROOT, Authority
from idp.services.work import Office
from idp.settings import is_local
from idp.web.shell.http import host_name


def blueprint(office: Office) -> Blueprint:
    """Revocation lists, OCSP, and one PKCS #12 bundle per certificate; for programs, so without form tokens."""
    pages = Blueprint("lab_authority", __name__, url_prefix=f"/lab/{FOLDER}")
    told = _Answers(office)
    pages.before_request(_local)
    pages.add_url_rule(f"/{ROOT}.crt", view_func=told.root)
    pages.add_url_rule("/<name>.crl", view_func=told.revoked)
    pages.add_url_rule("/<name>.p12", view_func=told.bundle)
    pages.add_url_rule("/ocsp", view_func=told.status, methods=["POST"])
    return pages


def _local() -> None:
    """Keys that everyone may have are given on loopback and below .test alone (SEC-44)."""
    if not is_local(host_name()):
        abort(403)


class _Answers:
    """What each address answers; 404 where the laboratory has no authority, or none of this name."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def root(self) -> Response:
        """The certificate of the authority, for a browser to trust."""
        return Response(self._authority().root, content_type="application/x-x509-ca-cert")

    def revoked(self, name: str) -> Response:
        """The revocation list of an authority."""
        try:
            found = self._authority().revoked(name, self._office.clock.now())
        except KeyError:
            abort(404)
        return Response(found, content_type="application/pkix-crl")

    def status(self) -> Response:
        """The answer to an OCSP request."""
        found = self._authority().answer(request.get_data(cache=False), self._office.clock.now())
        return Response(found, content_type="application/ocsp-response")

    def bundle(self, name: str) -> Response:
        """A certificate with its key, to be imported into a browser."""
        try:
            found = self._authority().bundle(name)
        except KeyError:
            abort(404)
        kept = {"Content-Disposition": f"attachment; filename={name}.p12"}
        return Response(found, content_type="application/x-pkcs12", headers=kept)

    def _authority(self) -> Authority:
        try:
            return Authority(Path(self._office.settings.paths.data) / FOLDER)
        except FileNotFoundError:
            abort(404)
