"""A portal for both services of RVO, put into the catalogue of the world."""

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import select, update

from idp.domain.assurance import Level
from idp.domain.identifiers import InstanceUuid, ServiceUrn, ServiceUuid
from idp.domain.parties import Service
from idp.services.catalogue.file import check
from idp.services.catalogue.loading import store
from idp.services.work import Office, Work
from idp.settings import product_file
from idp.store.mandates import MandateRow
from idp.store.means import Means
from idp.store.people import Account

BEHIND = ("RVO-3", "RVO-2PLUS")


def catalogue() -> dict[str, Service]:
    """The demo's catalogue by name."""
    return {one.slug: one for one in check(product_file("config", "catalogue.toml"))}


def portal(services: Iterable[Service], **changes: object) -> Service:
    """A portal for these services of one provider, which asks what the first does."""
    behind = tuple(services)
    made = replace(
        behind[0],
        uuid=ServiceUuid("2d6c1f1e-7b66-4c2f-8d64-2f1b6f8d1009"),
        instance_uuid=InstanceUuid("2d6c1f1e-7b66-4c2f-8d64-2f1b6f8d2009"),
        urn=ServiceUrn(f"urn:etoegang:DV:{behind[0].provider.oin}:services:9"),
        slug="MIJN-RVO",
        name={"nl": "Mijn RVO", "en": "My RVO"},
        description={"nl": "Alles bij elkaar.", "en": "All in one place."},
        level=Level.EH3,
        enforced_from=None,
        portal_for=tuple(one.instance_uuid for one in behind),
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # any fact


def open_portal(office: Office, **changes: object) -> Service:
    """Put the portal of RVO into the catalogue of an office that holds the world."""
    known = {one.slug: one for one in office.directory.services()}
    made = portal([known[slug] for slug in BEHIND], **changes)
    with office.work("test") as work:
        store(work, (made,))
    return made


def only_for(work: Work, username: str, service: Service, **changes: object) -> None:
    """Narrow what a persona was mandated for to one service; ``changes`` are other values of those mandates."""
    means = select(Means.id).join(Account, Account.id == Means.account_id).where(Account.username == username)
    values = {"scope": "service", "service_uuid": service.uuid, "provider_oin": None} | changes
    work.connection.execute(update(MandateRow).where(MandateRow.means_id.in_(means)).values(values))
