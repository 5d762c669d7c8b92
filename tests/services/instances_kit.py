"""Further instances of definitions of the world's catalogue."""

from dataclasses import replace

from idp.domain.identifiers import InstanceUuid, ServiceUrn
from idp.domain.parties import Provider, Service
from idp.services.catalogue.loading import store
from idp.services.work import Office
from tests.services.portal_kit import catalogue


def beside(service: Service, provider: Provider | None = None, **changes: object) -> Service:
    """Another instance of a service's definition, of its own provider or of another one."""
    owner = provider or service.provider
    number = 8 if owner == service.provider else 9
    made = replace(
        service,
        instance_uuid=InstanceUuid(f"{service.instance_uuid[:-4]}f00{number}"),
        urn=ServiceUrn(f"urn:etoegang:DV:{owner.oin}:services:{number}"),
        slug=f"{service.slug}-{number}",
        provider=owner,
        url=f"https://instantie{number}.test/",
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # any fact


def of_three() -> tuple[Service, Service, Service]:
    """A service of RVO, another instance of RVO, and one of the municipality."""
    known = catalogue()
    first = known["RVO-3"]
    return first, beside(first), beside(first, known["GEM"].provider)


def open_instances(office: Office) -> tuple[Service, Service, Service]:
    """Put them into the catalogue of an office that holds the world."""
    made = of_three()
    with office.work("test") as work:
        store(work, made)
    office.directory._looked_at = float("-inf")
    return made
