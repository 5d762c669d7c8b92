"""What every request must satisfy before a view sees it: host, proxy, origin, size, single parameters."""

from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from flask import Flask, abort, g, request

from idp.services.work import Office
from idp.settings import is_local
from idp.web.shell.form_session import FormSessions
from idp.web.shell.http import LARGEST_BODY, host_name, shown_certificates

# Messages of relying parties come from other sites by design; each proves itself.
CROSS_SITE = frozenset({"saml", "oidc", "portals"})
_LONGEST_QUERY = 64 * 1024
_MOST_FIELDS = 100
# The one field of our own pages that may come more than once: a box per personal attribute.
_REPEATABLE = frozenset({"attribute"})


def install(app: Flask, office: Office) -> None:
    """Refuse strange hosts, foreign origins and oversized requests (SEC-3, SEC-4, SEC-32, SEC-33, SEC-44)."""
    server = office.settings.server
    own = urlsplit(server.base_url)
    hosts = {own.netloc, own.hostname, urlsplit(office.settings.server.certificate_url).hostname, *server.hosts}
    app.session_interface = FormSessions()
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.config["MAX_FORM_MEMORY_SIZE"] = LARGEST_BODY
    app.config["MAX_FORM_PARTS"] = _MOST_FIELDS

    @app.before_request
    def _check() -> None:
        name = host_name()
        local = office.settings.lab.enabled and is_local(name)
        if request.host not in hosts and name not in hosts and not local:
            abort(421)
        if len(request.query_string) > _LONGEST_QUERY:
            abort(414)
        g.source = _source(server.trusted_proxies)
        g.certificates = shown_certificates(office.settings)
        if request.method != "GET" and request.blueprint not in CROSS_SITE:
            origin = request.headers.get("Origin")
            if origin is not None and origin not in (
                f"{own.scheme}://{own.netloc}",
                f"{own.scheme}://{request.host}",
            ):
                abort(403)
            _check_fields()


def _check_fields() -> None:
    """A form of ours has few fields of text, each once: two values mean two things to two readers (SEC-4)."""
    encoded = request.mimetype == "application/x-www-form-urlencoded"
    if encoded and request.get_data(parse_form_data=False).count(b"&") >= _MOST_FIELDS:
        abort(413)
    for name, values in request.form.lists():
        # Nobody types a NUL, and not every database takes one (SEC-7).
        if (len(values) > 1 and name not in _REPEATABLE) or any("\0" in value for value in values):
            abort(400)


def _source(trusted: tuple[str, ...]) -> str:
    peer = request.remote_addr or ""
    forwarded = request.headers.get("X-Forwarded-For", "")
    if peer in trusted and forwarded:
        peer = forwarded.rsplit(",", 1)[-1].strip()[:64]
    return _household(peer)


def _household(address: str) -> str:
    """An address as attempts are counted by: an IPv6 network of one subscriber counts as one place."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or ip_network((found, 64), strict=False))
    return address
