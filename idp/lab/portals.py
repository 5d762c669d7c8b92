"""The demo portals as relying parties: who they are, their keys, and their registration."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from idp.domain.parties import Party, Profile, Service
from idp.lab.keys import PartyKey, make_missing
from idp.lab.keys import read as read_key
from idp.lab.metadata import Description, document
from idp.protocols.oidc.client.registration import described as described_client
from idp.protocols.saml.metadata.description import described as described_entity
from idp.services.relying_parties import parties
from idp.services.work import Office, Work
from idp.store.catalogue import read_party, read_services


@dataclass(frozen=True, slots=True)
class Plan:
    """What is particular about a portal: its entity ID, its SAML profile, how it authenticates as a client, the
    signature it wants on ID tokens, and whether it sends its SAML requests by Redirect.
    """

    entity_id: str
    profile: Profile = Profile.GENERIC
    authentication: str = "client_secret_basic"
    algorithm: str = "RS256"
    redirects: bool = False


_DV = "urn:etoegang:DV:"
PLANS: Mapping[str, Plan] = {
    "UWV": Plan(f"{_DV}00000009900000001000:entities:9001", authentication="private_key_jwt"),
    "RVO-3": Plan(f"{_DV}00000009900000002000:entities:9001", algorithm="PS256"),
    "RVO-2PLUS": Plan(f"{_DV}00000009900000002000:entities:9002", redirects=True),
    "OLO": Plan(f"{_DV}00000009900000003000:entities:9001", algorithm="ES256", redirects=True),
    "GEM": Plan(f"{_DV}00000009900000004000:entities:9001", Profile.EHERKENNING_113, authentication="private_key_jwt"),
    "EH1-DEMO": Plan(f"{_DV}00000009900000005000:entities:9001", authentication="client_secret_post"),
    "EH4-DEMO": Plan(f"{_DV}00000009900000005000:entities:9002"),
}


@dataclass(frozen=True, slots=True)
class Portal:
    """One demo portal: a SAML entity and an OIDC client for one service, with its own key and secret."""

    slug: str
    plan: Plan
    base_url: str
    key: PartyKey
    secret: str

    @property
    def acs(self) -> str:
        """Where it receives SAML responses."""
        return f"{self.base_url}/lab/portal/{self.slug}/saml/acs"

    @property
    def callback(self) -> str:
        """Where it receives OIDC codes."""
        return f"{self.base_url}/lab/portal/{self.slug}/oidc/callback"

    @property
    def client_id(self) -> str:
        """Its name as an OIDC client."""
        return f"portal-{self.slug}"


def register(office: Office, data_folder: Path, base_url: str) -> None:
    """Make the portals' keys where they are missing and register each in both protocols; repeatable.

    A portal is registered anew when its address changed, and its SAML metadata and OIDC client metadata go through
    the same checks as those of any other party.
    """
    with office.work("laboratory") as work:
        services = {service.slug: service for service in read_services(work.connection)}
        for slug, plan in PLANS.items():
            key = make_missing(_key_file(data_folder, slug), f"demo portal {slug}", work.now)
            portal = Portal(slug, plan, base_url, key, _secret(data_folder, slug))
            _register_entity(work, portal, services[slug])
            _register_client(work, portal, services[slug], data_folder)


def read(data_folder: Path, base_url: str) -> tuple[Portal, ...]:
    """The portals that ``register`` made, with their keys, as far as it did; for each process that serves them."""
    made = {slug: plan for slug, plan in PLANS.items() if _key_file(data_folder, slug).exists()}
    return tuple(
        Portal(slug, plan, base_url, read_key(_key_file(data_folder, slug)), _secret(data_folder, slug))
        for slug, plan in made.items()
    )


def metadata(portal: Portal, service: Service) -> str:
    """The portal's SAML metadata."""
    return document(
        Description(
            entity_id=portal.plan.entity_id,
            name=_name(service),
            acs=portal.acs,
            certificate=portal.key.certificate,
            key_name=portal.key.kid,
            encrypts=portal.plan.profile is Profile.EHERKENNING_113,
            services=(service,),
        )
    )


def registration(portal: Portal, service: Service) -> str:
    """The portal's OIDC client metadata (RFC 7591)."""
    plan = portal.plan
    facts: dict[str, object] = {
        "client_id": portal.client_id,
        "client_name": _name(service),
        "redirect_uris": [portal.callback],
        "token_endpoint_auth_method": plan.authentication,
        "id_token_signed_response_alg": plan.algorithm,
    }
    if plan.authentication == "private_key_jwt":
        facts["jwks"] = {"keys": [portal.key.jwk]}
    return json.dumps(facts, ensure_ascii=False, sort_keys=True)


def _register_entity(work: Work, portal: Portal, service: Service) -> None:
    text = metadata(portal, service)
    known = read_party(work.connection, parties.SAML, portal.plan.entity_id)
    if _outdated(work, known, text):
        wishes = {"profile": portal.plan.profile.value}
        parties.add(work, described_entity(text.encode(), (portal.slug,), wishes, None, work.now))


def _register_client(work: Work, portal: Portal, service: Service, data_folder: Path) -> None:
    text = registration(portal, service)
    known = read_party(work.connection, parties.OIDC, portal.client_id)
    needs_secret = portal.plan.authentication.startswith("client_secret")
    if known is not None and needs_secret and not portal.secret:
        parties.remove(work, known.id)
        known = None
    if _outdated(work, known, text):
        added = parties.add(work, described_client(text.encode(), (portal.slug,), {}, None))
        if added.secret:
            file = _secret_file(data_folder, portal.slug)
            file.touch(mode=0o600)
            file.write_text(added.secret)


def _outdated(work: Work, known: Party | None, text: str) -> bool:
    """Whether a portal is to be registered; one that is known keeps its settings and gets its new document."""
    if known is not None and known.document != text:
        parties.renew(work, known, text)
    return known is None


def _name(service: Service) -> str:
    return f"{service.provider.name['nl']}: {service.name['nl']}"


def _secret(data_folder: Path, slug: str) -> str:
    file = _secret_file(data_folder, slug)
    return file.read_text() if file.exists() else ""


def _key_file(data_folder: Path, slug: str) -> Path:
    return data_folder / "portals" / f"{slug}.pem"


def _secret_file(data_folder: Path, slug: str) -> Path:
    return data_folder / "portals" / f"{slug}.secret"
