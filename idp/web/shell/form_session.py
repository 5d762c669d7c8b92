"""The signed cookie that ties a form to its browser."""

from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface

# Where relying parties send people and messages: no page there has a form of ours.
_FORMLESS = ("/saml/", "/oidc/")


class FormSessions(SecureCookieSessionInterface):
    """Reads the cookie where forms are: unsigning it is a tenth of what Flask does for a sign-on."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """What the cookie holds; where no form is, an empty session that is never written."""
        return self.session_class() if request.path.startswith(_FORMLESS) else super().open_session(app, request)
