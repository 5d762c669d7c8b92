"""What the laboratory's pages are told, as plain values in the person's language."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from idp.domain.certificates import CertificateFault
from idp.domain.means import MeansStatus
from idp.domain.parties import Profile, Service
from idp.domain.reasons import Reason
from idp.lab import world as worlds
from idp.lab.authority import FOLDER, Client
from idp.lab.pocket import Shown
from idp.lab.world import GRANTED, LOCKED, Means, Persona, World
from idp.protocols.saml.dialects import DIALECTS, names
from idp.services.decision.conclusion import dutch_day
from idp.services.work import Office
from idp.settings import Settings
from idp.web.shell.locale import spoken
from idp.web.texts.certificates import CERTIFICATE_TEXTS
from idp.web.texts.told import problem, reason_view

__all__ = [
    "Service",
    "certificate",
    "connect",
    "examples",
    "legend",
    "outcome",
    "persona_line",
    "persona_page",
    "service_view",
]

_STATUS: dict[MeansStatus, LazyString] = {
    MeansStatus.ORDERED: lazy_gettext("aangevraagd"),
    MeansStatus.AWAITING_ACTIVATION: lazy_gettext("nog niet geactiveerd"),
    MeansStatus.ACTIVE: lazy_gettext("actief"),
    MeansStatus.SUSPENDED: lazy_gettext("gepauzeerd"),
    MeansStatus.EXPIRED: lazy_gettext("verlopen"),
    MeansStatus.REVOKED: lazy_gettext("ingetrokken"),
    MeansStatus.SUPERSEDED: lazy_gettext("vervangen"),
}

# Each with the places of ``connect`` and of the data folder, in braces.
_EXAMPLES: tuple[tuple[str, LazyString, str], ...] = (
    (
        "saml",
        lazy_gettext("Een SAML-toepassing aanmelden"),
        "idp providers add --data {data} --metadata my-metadata.xml --services UWV",
    ),
    (
        "eherkenning",
        lazy_gettext("Een SAML-toepassing aanmelden met het profiel eHerkenning 1.13"),
        "idp providers add --data {data} --metadata my-metadata.xml --services GEM --profile eherkenning-1.13",
    ),
    (
        "oidc",
        lazy_gettext("Een OIDC-toepassing aanmelden"),
        """\
cat > my-client.json <<'END'
{{"client_name": "My app", "redirect_uris": ["http://localhost:5000/callback"]}}
END
idp providers add --data {data} --client my-client.json --services UWV""",
    ),
    (
        "authlib",
        lazy_gettext("Instellingen voor Authlib"),
        """\
oauth.register(
    "eherkenning",
    client_id="…",
    client_secret="…",
    server_metadata_url="{oidc_discovery}",
    client_kwargs={{"scope": "openid eherkenning", "code_challenge_method": "S256"}},
)""",
    ),
    (
        "pysaml2",
        lazy_gettext("Instellingen voor pysaml2"),
        """\
"metadata": {{"remote": [{{"url": "{saml_metadata}"}}]}},
"service": {{"sp": {{"authn_requests_signed": True, "want_response_signed": True}}}},""",
    ),
    ("code", lazy_gettext("Een code opvragen in een test"), "curl {oidc_issuer}/lab/api/otp/anna"),
)


def service_view(service: Service) -> dict[str, str]:
    """A service as a tile and as the head of a column."""
    return {
        "slug": service.slug,
        "name": spoken(service.name),
        "provider_name": spoken(service.provider.name),
        "level_label": service.level.label,
        "portal_url": f"/lab/portal/{service.slug}",
    }


def persona_line(persona: Persona, shown: Shown | None) -> dict[str, Any]:
    """A persona as a line of the tables."""
    return {
        "username": persona.id,
        "name": persona.person.name,
        "password": persona.password,
        "story": spoken(persona.story),
        "code": shown.code if shown else None,
        "expires_in": shown.expires_in if shown else None,
        "outcomes": [_cell(cell) for cell in persona.expected.values()],
    }


def persona_page(persona: Persona, shown: Shown | None, world: World, office: Office) -> dict[str, Any]:
    """Everything about a persona; days are counted from today, as they were from the day of seeding."""
    responder = persona.responder
    return persona_line(persona, shown) | {
        "email": persona.email,
        "responder": None
        if responder is None
        else {
            "serial": responder.serial,
            "secret": responder.secret,
            "algorithm": responder.algorithm,
            "digits": responder.digits,
            "period": responder.period,
            "uri": _uri(persona, office.settings.brand.name),
        },
        "means": [_means(one, world, office) for one in persona.means],
    }


def certificate(client: Client) -> dict[str, Any]:
    """A certificate to try, with what comes of it."""
    good = _("U logt in op EH4.")
    told = str(CERTIFICATE_TEXTS[CertificateFault(client.fault)]) if client.fault else good
    return {
        "name": client.name,
        "person": client.person,
        "href": f"/lab/{FOLDER}/{client.name}.p12",
        "explanation": told,
    }


def outcome(service: Service, cell: str) -> dict[str, Any]:
    """What a persona is told at a service, with the reason in a sentence."""
    return service_view(service) | _cell(cell)


def legend(world: World) -> list[dict[str, str]]:
    """Every code that occurs in the table, in the order of reasons, and the lock last."""
    told = {cell for persona in world.personas for cell in persona.expected.values()}
    reasons = [reason for reason in Reason if reason.value in told]
    lines = [{"code": reason.code, "title": reason_view(reason, {}).title} for reason in reasons]
    return [*lines, {"code": LOCKED, "title": problem(LOCKED).title}] if LOCKED in told else lines


def connect(settings: Settings) -> dict[str, str]:
    """The addresses and names that a relying party needs (contract)."""
    base = settings.server.base_url
    generic, scheme = DIALECTS[Profile.GENERIC], DIALECTS[Profile.EHERKENNING_113]
    return {
        "saml_entity_id": names(settings, generic).issuer,
        "saml_metadata": base + generic.metadata_path,
        "saml_sso": base + generic.sso_path,
        "saml_entity_id_eherkenning": names(settings, scheme).issuer,
        "saml_metadata_eherkenning": base + scheme.metadata_path,
        "saml_sso_eherkenning": base + scheme.sso_path,
        "oidc_issuer": base,
        "oidc_discovery": f"{base}/.well-known/openid-configuration",
        "oidc_authorize": f"{base}/oidc/authorize",
        "oidc_token": f"{base}/oidc/token",
        "oidc_userinfo": f"{base}/oidc/userinfo",
        "oidc_jwks": f"{base}/oidc/jwks",
    }


def examples(settings: Settings) -> list[dict[str, str]]:
    """Commands and settings, ready to paste."""
    facts = connect(settings) | {"data": settings.paths.data}
    return [{"id": name, "title": str(title), "text": text.format(**facts)} for name, title, text in _EXAMPLES]


def _cell(cell: str) -> dict[str, Any]:
    if cell == GRANTED:
        return {"granted": True, "code": "", "title": _("Komt binnen"), "sentence": None}
    if cell == LOCKED:
        locked = problem(LOCKED)
        return {"granted": False, "code": LOCKED, "title": locked.title, "sentence": locked.text}
    view = reason_view(Reason(cell), {})
    return {"granted": False, "code": view.code, "title": view.title, "sentence": view.sentence}


def _means(one: Means, world: World, office: Office) -> dict[str, Any]:
    organisation, today = world.organisation(one.organisation), dutch_day(office.clock.now())
    known = {service.slug: service for service in office.directory.services()}
    return {
        "level_label": one.level.label,
        "status": str(_STATUS[MeansStatus(one.status)]),
        "organisation": organisation.name,
        "kvk": organisation.kvk,
        "branches": (one.branch,) if one.branch else (),
        "valid_until": worlds.day(today, one.until),
        "mandates": [
            {
                "scope": _scope(known, mandate.service),
                "level_label": mandate.level.label,
                "valid_until": worlds.day(today, mandate.until),
            }
            for mandate in one.mandates
        ],
    }


def _scope(known: Mapping[str, Service], slug: str | None) -> str:
    service = known.get(slug or "")
    return spoken(service.name) if service else slug or _("Algemene machtiging")


def _uri(persona: Persona, issuer: str) -> str:
    """What an authenticator app reads (otpauth)."""
    device = persona.responder
    if device is None:
        return ""
    facts = {"secret": device.secret, "issuer": issuer, "digits": device.digits, "period": device.period}
    return f"otpauth://{device.algorithm}/{quote(f'{issuer}:{persona.id}')}?{urlencode(facts)}"
