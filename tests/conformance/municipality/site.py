"""The web site of a municipality: Django with django-digid-eherkenning as it comes, and a page that shows what came.

``python site.py SETTINGS.json serve|metadata|catalogue``; the settings are what its operator would fill in.
"""

import json
import logging
import sys
from pathlib import Path
from typing import ClassVar
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from django.conf import settings

FILE = Path(sys.argv[1])
SITE = json.loads(FILE.read_text())
FOLDER = FILE.parent

settings.configure(
    DEBUG=False,
    SECRET_KEY=SITE["secret"],
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF="__main__",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(FOLDER / "site.db")}},
    CACHES={"default": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": str(FOLDER)}},
    INSTALLED_APPS=[
        "django.contrib.contenttypes",
        "django.contrib.auth",
        "django.contrib.sessions",
        "django.contrib.messages",
        "django.contrib.staticfiles",
        "privates",
        "simple_certmanager",
        "solo",
        "digid_eherkenning",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    AUTHENTICATION_BACKENDS=["__main__.Backend"],
    STATIC_URL="/static/",
    PRIVATE_MEDIA_ROOT=str(FOLDER / "private"),
    PRIVATE_MEDIA_URL="/private/",
    SENDFILE_BACKEND="django_sendfile.backends.simple",
    SENDFILE_ROOT=str(FOLDER / "private"),
    LOGIN_URL="/failed/",
    LOGIN_REDIRECT_URL="/company/",
    USE_TZ=True,
    SESSION_COOKIE_NAME="municipality",
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

from digid_eherkenning.backends import eHerkenningBackend  # noqa: E402
from digid_eherkenning.models import ConfigCertificate, EherkenningConfiguration  # noqa: E402
from digid_eherkenning.saml2.eherkenning import (  # noqa: E402
    generate_dienst_catalogus_metadata,
    generate_eherkenning_metadata,
)
from django.contrib.auth import get_user_model  # noqa: E402
from django.contrib.messages import get_messages  # noqa: E402
from django.contrib.staticfiles.handlers import StaticFilesHandler  # noqa: E402
from django.core.files.base import ContentFile  # noqa: E402
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.http import JsonResponse  # noqa: E402
from django.urls import include, path  # noqa: E402
from simple_certmanager.models import Certificate  # noqa: E402


class Backend(eHerkenningBackend):
    """Knows a company by its RSIN, or by its KvK number where it has no RSIN, as such sites do."""

    def get_or_create_user(self, request, saml_response, saml_attributes):
        """The user of this company; what was told of it stays in the session."""
        rsin, kvk = self.get_legal_subject_rsin(saml_attributes), self.get_legal_subject_kvk(saml_attributes)
        request.session["company"] = {
            "rsin": rsin,
            "kvk": kvk,
            "branches": saml_attributes.get("urn:etoegang:1.9:ServiceRestriction:Vestigingsnr", []),
            "service": saml_attributes.get("urn:etoegang:core:ServiceUUID", []),
            "level": saml_response.get_authn_contexts(),
        }
        return get_user_model().objects.get_or_create(username=rsin or kvk)


class Noted(logging.Handler):
    """Keeps what the package logs."""

    lines: ClassVar[list[str]] = []

    def emit(self, record):
        """Keep one line."""
        self.lines.append(record.getMessage())


logging.getLogger("digid_eherkenning.backends").addHandler(Noted())
logging.getLogger("digid_eherkenning.backends").setLevel(logging.INFO)


def company(request):
    """Who is logged in."""
    return JsonResponse({"user": request.user.get_username()} | request.session.get("company", {}))


def failed(request):
    """What the site says of a login that failed, and what the package logged last."""
    return JsonResponse({"messages": [str(one) for one in get_messages(request)], "log": Noted.lines[-1]})


urlpatterns = [
    path("eherkenning/", include("digid_eherkenning.eherkenning_urls")),
    path("metadata/", include("digid_eherkenning.metadata_urls")),
    path("company/", company),
    path("failed/", failed),
]


def configure() -> None:
    """What an operator fills in: keys, names, and where our metadata are, which the package then fetches."""
    call_command("migrate", verbosity=0)
    if EherkenningConfiguration.objects.exists():
        return
    certificate = Certificate(type="key_pair", label="eherkenning")
    certificate.public_certificate.save("site.crt", ContentFile(SITE["certificate"].encode()), save=False)
    certificate.private_key.save("site.key", ContentFile(SITE["key"].encode()), save=False)
    certificate.save()
    ConfigCertificate.objects.create(config_type="digid_eherkenning.EherkenningConfiguration", certificate=certificate)
    configuration = EherkenningConfiguration(**SITE["configuration"])
    configuration.save(force_metadata_update=True)


class Quiet(WSGIRequestHandler):
    """Says nothing of requests."""

    def log_message(self, *_arguments):
        """Silently."""


configure()
if sys.argv[2] == "metadata":
    sys.stdout.buffer.write(generate_eherkenning_metadata())
elif sys.argv[2] == "catalogue":
    sys.stdout.buffer.write(generate_dienst_catalogus_metadata())
else:
    server = make_server("127.0.0.1", SITE["port"], StaticFilesHandler(WSGIHandler()), handler_class=Quiet)
    print("ready", flush=True)
    server.serve_forever()
