"""The frame in which pages of clients see whether the session changed (Session Management 1.0, RUL-31)."""

from flask import Response, g, render_template

_POLICY = "default-src 'none'; script-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors *"


def frame(cookie: str) -> Response:
    """The one page of ours that others may frame: it shows nothing and reads one cookie without a secret."""
    g.framed = True
    response = Response(render_template("session-frame.html", cookie=cookie), content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
