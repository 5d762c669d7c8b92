"""The security headers of every answer."""

from urllib.parse import urlsplit

from flask import Flask, Response, g, request

_FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
}
_NOT_KEPT = {"Cache-Control": "no-cache, no-store", "Pragma": "no-cache"}
# The one page that others may frame says so itself (RUL-31).
_FRAMING = ("X-Frame-Options", "Cross-Origin-Opener-Policy")
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
ONLY_HTTPS = "max-age=31536000; includeSubDomains"


def install(app: Flask, secure: bool) -> None:
    """Give every answer its headers: nothing framed, nothing foreign, nothing kept (G-3, G-10, SEC-33, RUL-39)."""
    lasting = _FIXED | ({"Strict-Transport-Security": ONLY_HTTPS} if secure else {})
    fleeting = lasting | _NOT_KEPT

    @app.after_request
    def _headers(response: Response) -> Response:
        headers = response.headers
        said = {name.lower() for name, _ in headers}
        for name, value in (lasting if request.endpoint == "static" else fleeting).items():
            if name.lower() not in said and not (name in _FRAMING and g.get("framed")):
                headers.add(name, value)
        if "content-security-policy" not in said:
            # Chromium holds form-action against redirects after a form too: the address a login returns to counts.
            targets = " ".join(sorted(getattr(g, "form_targets", ())))
            framed = " ".join(["; frame-src", *frames]) if (frames := sorted(getattr(g, "frame_sources", ()))) else ""
            headers.add("Content-Security-Policy", f"{_POLICY} {targets}".rstrip() + framed)
        return response


def allow_form_to(address: str) -> None:
    """Allow the form of this page to post to, or be redirected to, the origin of an address."""
    parts = urlsplit(address)
    if parts.scheme in ("http", "https") and parts.netloc:
        g.form_targets = {*getattr(g, "form_targets", ()), f"{parts.scheme}://{parts.netloc}"}
    elif parts.scheme:
        # A native application's own scheme (RFC 8252).
        g.form_targets = {*getattr(g, "form_targets", ()), f"{parts.scheme}:"}


def allow_frame_of(address: str) -> None:
    """Allow this page to frame pages of the origin of an address, and nothing else of it."""
    parts = urlsplit(address)
    g.frame_sources = {*getattr(g, "frame_sources", ()), f"{parts.scheme}://{parts.netloc}"}
