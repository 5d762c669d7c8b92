"""The composition root of the application: an office becomes a service that a server can run."""

import time
from pathlib import Path

from flask import Flask
from flask_wtf.csrf import CSRFProtect

from idp.effects.certificates import PersonalCertificates
from idp.effects.courier import BackChannel
from idp.effects.fetch import Bounds, GuardedFetcher
from idp.effects.revocation import Revocation
from idp.lab.portals import read as read_portals
from idp.lab.world import read as read_world
from idp.office import inherited, open_office
from idp.protocols.message import Codec
from idp.protocols.oidc import OidcCodec, Registrar, back_channel
from idp.protocols.oidc import documents as oidc_documents
from idp.protocols.own import OwnCodec
from idp.protocols.saml import SamlCodec
from idp.protocols.saml import documents as saml_documents
from idp.services.work import Office
from idp.settings import Settings, product_file
from idp.web import catalogue, device, oidc, operation, public, saml
from idp.web.lab import api as lab_api
from idp.web.lab import authority as lab_authority
from idp.web.lab import pages as lab
from idp.web.lab import portals
from idp.web.login import certificates, logout
from idp.web.login import views as login
from idp.web.own import door as own_login
from idp.web.own import loss, passkeys, profile, profile_changes, recovery, responders
from idp.web.shell import errors, guard, headers, locale, log
from idp.web.shell.cookies import Cookies
from idp.web.shell.documents import Application, Documents, Source
from idp.web.texts import told as texts

# A person waits while a request is fetched from the party that sent it, and few may wait at once (SEC-39).
_LONGEST_ANSWER, _SLOWEST_ANSWER, _ASKED_AT_ONCE = 300 * 1024, 5.0, 2


def create_app(office: Office) -> Application:
    """The whole service as a WSGI application."""
    app = Flask("idp", template_folder=str(product_file("templates")), static_folder=str(_static()))
    settings = office.settings
    _configure(app, office)
    courier = _courier(settings)
    saml_codec = SamlCodec(courier)
    codecs: dict[str, Codec] = {"saml": saml_codec, "oidc": OidcCodec(), "own": OwnCodec()}
    cookies = Cookies(office)
    views = login.LoginViews(office, codecs, cookies)
    leaving = logout.LogoutViews(office, saml_codec.logout, cookies)
    # The guard comes before anything that reads a body.
    guard.install(app, office)
    protect = CSRFProtect(app)
    machines = (
        saml.blueprint(office, saml_codec, views, leaving),
        oidc.blueprint(office, codecs["oidc"], oidc.Pages(views, leaving), back_channel(_registrar(settings, courier))),
    )
    for blueprint in machines:
        app.register_blueprint(blueprint)
        protect.exempt(blueprint)
    doors = (views.blueprint(), own_login.blueprint(office, views), device.blueprint(office, views))
    for blueprint in (*doors, leaving.blueprint()):
        app.register_blueprint(blueprint)
    for own in (recovery, loss, responders, passkeys, profile, profile_changes):
        app.register_blueprint(own.blueprint(office, cookies))
    app.register_blueprint(public.blueprint(office, product_file("templates", "public", "info")))
    app.register_blueprint(operation.blueprint(office))
    app.register_blueprint(catalogue.blueprint(office))
    if not settings.lacking_for_certificates:
        app.register_blueprint(certificates.blueprint(office, _judge(settings)))
    if settings.lab.enabled:
        _install_laboratory(app, office, protect)
    headers.install(app, settings.secure)
    locale.install(app, str(Path(__file__).parent / "translations"), settings.secure)
    errors.install(app, office)
    texts.install(app)
    return Documents(app.wsgi_app, _documents(office), settings.secure)


def _documents(office: Office) -> Source:
    return Source(
        make=lambda: saml_documents(office) | oidc_documents(office),
        look=office.keys.look,
        today=lambda: office.clock.now().date(),
    )


def wsgi() -> Application:
    """What a server loads: settings come from the file that ``IDP_CONFIG`` names."""
    log.configure()
    return create_app(open_office(inherited()))


def _configure(app: Flask, office: Office) -> None:
    settings = office.settings
    app.config.update(
        SECRET_KEY=office.vault.digest("forms", "flask"),
        SESSION_COOKIE_NAME="__Host-idp-form" if settings.secure else "idp-form",
        SESSION_COOKIE_SECURE=settings.secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        # Our own Origin check takes the place of the Referer check (RUL-39).
        WTF_CSRF_SSL_STRICT=False,
        WTF_CSRF_TIME_LIMIT=None,
    )

    @app.context_processor
    def _globals() -> dict[str, object]:
        return {
            "brand": settings.brand,
            "lab": settings.lab.enabled,
            "locale": locale.current(),
            "stylesheets": settings.ui.stylesheets,
        }


def _install_laboratory(app: Flask, office: Office, protect: CSRFProtect) -> None:
    """The laboratory and its portals; their machine-readable calls and returns carry no form token."""
    world = read_world()
    known = read_portals(Path(office.settings.paths.data), office.settings.server.base_url)
    app.register_blueprint(lab.blueprint(office, world))
    machines = (lab_api.blueprint(office, world), portals.blueprint(office, known), lab_authority.blueprint(office))
    for machine in machines:
        app.register_blueprint(machine)
        protect.exempt(machine)


def _judge(settings: Settings) -> PersonalCertificates:
    """Where certificates are judged; what authorities say of them is signed, so it may come over plain http."""
    bounds = Bounds(seconds=_SLOWEST_ANSWER, laboratory=settings.lab.enabled, plain=True)
    revocation = Revocation(GuardedFetcher(bounds, time.monotonic))
    own = settings.certificates
    between = Path(own.between) if own.between else None
    return PersonalCertificates(Path(own.roots), between, own.policies, revocation)


def _registrar(settings: Settings, courier: BackChannel) -> Registrar | None:
    """Whoever registers clients, where they may register themselves."""
    return None if settings.oidc.registration == "closed" else Registrar(courier)


def _courier(settings: Settings) -> BackChannel:
    bounds = Bounds(octets=_LONGEST_ANSWER, seconds=_SLOWEST_ANSWER, laboratory=settings.lab.enabled)
    return BackChannel(GuardedFetcher(bounds, time.monotonic), _ASKED_AT_ONCE)


def _static() -> Path:
    return Path(__file__).parent / "web" / "static"
