"""A web site on Django with mozilla-django-oidc as it comes: ``python site.py SETTINGS.json`` serves it.

``/oidc/authenticate/`` sends a browser to the provider, ``/me/`` shows who is logged in and renews silently.
"""

import json
import sys
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from django.conf import settings

FILE = Path(sys.argv[1])
SITE = json.loads(FILE.read_text())

settings.configure(
    DEBUG=False,
    SECRET_KEY="site" * 13,
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF="__main__",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(FILE.parent / "site.db")}},
    INSTALLED_APPS=[
        "django.contrib.contenttypes",
        "django.contrib.auth",
        "django.contrib.sessions",
        "mozilla_django_oidc",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "mozilla_django_oidc.middleware.SessionRefresh",
    ],
    AUTHENTICATION_BACKENDS=["__main__.Companies"],
    LOGIN_REDIRECT_URL="/me/",
    LOGIN_REDIRECT_URL_FAILURE="/failed/",
    SESSION_COOKIE_NAME="django",
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    OIDC_USE_PKCE=True,
    OIDC_RP_SCOPES="openid eherkenning",
    **SITE["settings"],
)
django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.http import JsonResponse  # noqa: E402
from django.urls import include, path  # noqa: E402
from mozilla_django_oidc.auth import OIDCAuthenticationBackend  # noqa: E402


class Companies(OIDCAuthenticationBackend):
    """Knows a person by ``sub``, and remembers the company."""

    def verify_claims(self, claims):
        """A person without an e-mail address is somebody too."""
        return bool(claims.get("sub"))

    def filter_users_by_claims(self, claims):
        """Who came before."""
        return get_user_model().objects.filter(username=claims["sub"])

    def create_user(self, claims):
        """Who comes first."""
        return get_user_model().objects.create_user(claims["sub"], last_name=claims["represents"]["sub"])


def me(request):
    """Who is logged in."""
    user = request.user
    return JsonResponse({"user": user.get_username(), "company": user.last_name if user.is_authenticated else ""})


urlpatterns = [
    path("oidc/", include("mozilla_django_oidc.urls")),
    path("me/", me),
    path("failed/", lambda _request: JsonResponse({"failed": True})),
]


class Quiet(WSGIRequestHandler):
    """Writes no line per request."""

    def log_message(self, *_given):
        """Nothing."""


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    with make_server("127.0.0.1", SITE["port"], WSGIHandler(), handler_class=Quiet) as server:
        print("ready", flush=True)
        server.serve_forever()
