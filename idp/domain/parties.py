"""Who asks and what they offer: providers, services of the catalogue, and relying parties as values."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from idp.domain.assurance import Level
from idp.domain.demand import Reading
from idp.domain.identifiers import InstanceUuid, Oin, ServiceUrn, ServiceUuid
from idp.domain.mandates import Target


class Profile(StrEnum):
    """Which dialect a relying party speaks (architecture 17, RUL-30)."""

    GENERIC = "generic"
    EHERKENNING_113 = "eherkenning-1.13"
    EHERKENNING_111 = "eherkenning-1.11"
    OIDC_STANDARD = "standard"
    OIDC_NL_GOV = "nl-gov"
    OIDC_FAPI_2 = "fapi-2"


class DenyMode(StrEnum):
    """When a relying party hears of a refusal: as the person leaves the page, or at once (architecture 17)."""

    EXPLAIN = "explain"
    RETURN = "return"


@dataclass(frozen=True, slots=True)
class Provider:
    """A service provider (dienstverlener) of the catalogue; its OIN keys the pseudonyms (RUL-10)."""

    oin: Oin
    name: dict[str, str]


@dataclass(frozen=True, slots=True)
class CatalogueAttribute:
    """An attribute a service declares, with its purpose per language (RA-1)."""

    name: str
    required: bool
    purpose: dict[str, str]


@dataclass(frozen=True, slots=True)
class Service:
    """One entry of the catalogue (domain 5.2); texts are per language, ``entity_types`` sets in order of preference.

    It is an instance, the thing that parties ask for, with the facts of its definition, for which mandates are
    registered. ``instance_uuid`` names it; ``uuid`` is the definition's, which several entries may share, of several
    providers too.
    ``public`` tells whether it stands in lists for everyone; who knows the service logs in all the same.
    ``portal_for`` names the services that a portal leads to, in its order; empty for a service of its own (domain 7.6).
    """

    uuid: ServiceUuid
    instance_uuid: InstanceUuid
    urn: ServiceUrn
    slug: str
    provider: Provider
    name: dict[str, str]
    description: dict[str, str]
    level: Level
    takes_restriction: bool
    chains: bool
    sso: bool
    allow_lower: bool
    entity_types: tuple[tuple[str, ...], ...]
    attributes: tuple[CatalogueAttribute, ...]
    url: str
    enforced_from: date | None
    public: bool = True
    portal_for: tuple[InstanceUuid, ...] = ()

    @property
    def target(self) -> Target:
        """What a mandate is held against."""
        return Target(self.uuid, self.provider.oin, self.takes_restriction)

    def announced(self, today: date) -> date | None:
        """The day from which nothing else is accepted, while it is still to come (F06); it decides nothing."""
        return self.enforced_from if self.enforced_from is not None and today < self.enforced_from else None


def by_name(services: Sequence[Service]) -> dict[str, tuple[Service, ...]]:
    """Services by everything that they may be called: name of ours, ServiceID, UUID; all of a definition by its UUID.

    Where two are called alike an instance goes before a definition, and its UUID, which we write ourselves, before all.
    """
    definitions: dict[str, tuple[Service, ...]] = {}
    for one in services:
        definitions[one.uuid] = (*definitions.get(one.uuid, ()), one)
    own = ("slug", "urn", "instance_uuid")
    return definitions | {str(getattr(one, name)): (one,) for name in own for one in services}


def behind(portal: Service, services: Iterable[Service]) -> tuple[Service, ...]:
    """Those of the services that a portal leads to, in its order; none for a service of its own."""
    if not portal.portal_for:
        return ()
    known = {one.instance_uuid: one for one in services}
    return tuple(known[uuid] for uuid in portal.portal_for if uuid in known)


@dataclass(frozen=True, slots=True)
class PartySettings:
    """The settings of ``idp providers set`` (contract)."""

    profile: Profile
    reading: Reading = Reading.LENIENT
    sso: bool = True
    deny_mode: DenyMode = DenyMode.EXPLAIN
    answer_level: str = "reached"
    advice: bool = False
    require_signed_requests: bool = True
    require_pkce: bool = True
    allow_lower_request: bool = False
    artifact_client_certificate: bool = False


@dataclass(frozen=True, slots=True)
class FormerCertificate:
    """A certificate (DER in base64) that a party's metadata no longer list, and until when it counts (domain 6.1)."""

    use: str
    certificate: str
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Party:
    """A registered relying party: a SAML entity or an OIDC client, for services of one provider (RUL-10).

    ``identity`` is the entity ID or client ID; ``protocol`` is ``saml`` or ``oidc``; ``services`` maps the index of
    the request (SAML AttributeConsumingServiceIndex; 0-based order for OIDC) to the service, the first is the
    default; ``document`` is the metadata (SAML XML) or registration (RFC 7591 JSON) as registered.
    ``version`` changes with every change, so that what is parsed from the document can be kept. ``former`` are the
    certificates that an earlier document listed and that still count. ``led_to`` are the services behind the portals
    among its services; most parties have none.
    """

    id: str
    protocol: str
    identity: str
    name: str
    provider: Provider
    settings: PartySettings
    services: tuple[tuple[int, Service], ...]
    document: str
    version: int
    secret_digest: str = ""
    former: tuple[FormerCertificate, ...] = ()
    led_to: tuple[Service, ...] = ()

    @property
    def default_service(self) -> Service:
        """The service of a request that names none."""
        return self.services[0][1]

    def service(self, index: int) -> Service | None:
        """The service at an index of a request, or None."""
        return next((service for place, service in self.services if place == index), None)

    def lowers(self, service: Service) -> bool:
        """Whether a request may ask less than the catalogue (LOA-6); a portal never, its services ask theirs."""
        return not service.portal_for and (service.allow_lower or self.settings.allow_lower_request)
