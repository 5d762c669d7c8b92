"""Between Flask and the protocols: requests in, answers out."""

import re
from datetime import datetime
from urllib.parse import unquote, urlsplit

from flask import Response, g, redirect, render_template, request
from werkzeug.exceptions import RequestEntityTooLarge

from idp.effects.certificates import der_of_pem, readable
from idp.protocols.message import Answer, Document, HttpMessage, PostForm, Redirect
from idp.settings import Settings
from idp.web.shell.headers import allow_form_to

LARGEST_BODY = 1024 * 1024
# Our own listener puts what was shown here; no header of a request can.
SHOWN = "idp.certificates"
_PORT = re.compile(":[0-9]*$")


def incoming() -> HttpMessage:
    """The request as the protocols read it: raw query, raw body (SEC-3, SEC-15)."""
    body = request.get_data(cache=False) if request.method in ("POST", "PUT") else b""
    if len(body) > LARGEST_BODY:
        raise RequestEntityTooLarge
    return HttpMessage(
        method=request.method,
        path=request.path,
        query=request.query_string,
        body=body,
        content_type=request.headers.get("Content-Type", ""),
        headers={name.lower(): value for name, value in request.headers.items()},
        certificate=next(iter(g.get("certificates", ())), b""),
    )


def outgoing(answer: Answer, **context: object) -> Response:
    """An answer of a protocol as a response; the post form is a page with a visible button."""
    match answer:
        case Redirect(location):
            response = see_other(location)
            response.headers["Referrer-Policy"] = "no-referrer"
            return response
        case PostForm(action, fields):
            page = render_template("login/answer.html", action=action, fields=list(fields.items()), **context)
            return posting(action, page)
        case Document(status, content_type, body, headers):
            response = Response(body, status, content_type=content_type)
            response.headers.update(headers)
            return response


def see_other(location: str) -> Response:
    """Where the browser goes next, by GET."""
    return redirect(location, 303)  # type: ignore[return-value]  # werkzeug's redirect is Flask's Response here


def posting(action: str, page: str) -> Response:
    """A page whose form goes to a relying party."""
    allow_form_to(action)
    response = Response(page, content_type="text/html; charset=utf-8")
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def wait_until(response: Response, until: datetime, now: datetime) -> None:
    """Tell a browser when to try again, in whole seconds."""
    response.headers["Retry-After"] = str(max(int((until - now).total_seconds()) + 1, 1))


def shown_certificates(settings: Settings) -> tuple[bytes, ...]:
    """The certificates that were shown on this connection (DER, the person's first); a stranger's word is none.

    They come from our own listener, or in a header from a proxy that is configured for it, at its own host alone. One
    that cannot be read is an empty text in its place.
    """
    return tuple(one if readable(one) else b"" for one in _shown(settings))


def _shown(settings: Settings) -> tuple[bytes, ...]:
    own: tuple[bytes, ...] = request.environ.get(SHOWN, ())
    header = settings.certificates.header
    if own or not header or request.remote_addr not in settings.server.trusted_proxies:
        return own
    if host_name() != urlsplit(settings.server.certificate_url).hostname:
        return ()
    try:
        return (der_of_pem(unquote(request.headers.get(header, ""))),)
    except ValueError:
        return ()


def host_name() -> str:
    """The host that the browser asked, without port and without the brackets of IPv6."""
    return _PORT.sub("", request.host).strip("[]")


def source() -> str:
    """The network address an attempt comes from; a proxy's word counts only when it is configured (SEC-32)."""
    return str(g.get("source", request.remote_addr or ""))
