"""The floor of a request: an application that does nothing, behind the same server."""

from flask import Flask


def wsgi() -> Flask:
    """One page without content."""
    app = Flask("empty")
    app.add_url_rule("/", "empty", lambda: "")
    app.add_url_rule("/healthz", "healthz", lambda: "")
    return app
