"""Providers, services and relying parties, and how their rows become values."""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, ForeignKey, String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from idp.domain.assurance import Level
from idp.domain.demand import Reading
from idp.domain.identifiers import InstanceUuid, Oin, ServiceUrn, ServiceUuid
from idp.domain.parties import CatalogueAttribute, DenyMode, Party, PartySettings, Profile, Provider, Service
from idp.store.base import AnyRow, Base, Id, Row
from idp.store.party_keys import read_former


class ProviderRow(Base):
    """A service provider; the name is JSON per language."""

    __tablename__ = "provider"

    oin: Mapped[str] = mapped_column(String(20), primary_key=True)
    name: Mapped[str] = mapped_column(Text)


class ServiceRow(Base):
    """A service of the catalogue; ``facts`` is JSON of what is only read (texts, entity types, attributes, url).

    It is an instance with the facts of its definition, whose UUID several may share. ``portal_for`` are the instances
    that a portal leads to, with commas between.
    """

    __tablename__ = "service"

    instance_uuid: Mapped[str] = mapped_column(String(36), primary_key=True)
    uuid: Mapped[str] = mapped_column(String(36), index=True)
    urn: Mapped[str] = mapped_column(String(64), unique=True)
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    provider_oin: Mapped[str] = mapped_column(String(20), ForeignKey("provider.oin"), index=True)
    level: Mapped[int]
    takes_restriction: Mapped[bool]
    chains: Mapped[bool]
    sso: Mapped[bool]
    allow_lower: Mapped[bool]
    enforced_from: Mapped[date | None]
    facts: Mapped[str] = mapped_column(Text)
    portal_for: Mapped[str] = mapped_column(Text, server_default="")


class PartyRow(Row):
    """A relying party; ``settings`` is JSON, ``document`` its metadata or registration as handed in."""

    __tablename__ = "party"

    protocol: Mapped[str] = mapped_column(String(8))
    identity: Mapped[str] = mapped_column(String(1024), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    provider_oin: Mapped[str] = mapped_column(String(20), ForeignKey("provider.oin"), index=True)
    settings: Mapped[str] = mapped_column(Text)
    document: Mapped[str] = mapped_column(Text)
    version: Mapped[int]
    secret_digest: Mapped[str] = mapped_column(String(64))


class PartyService(Base):
    """Which services a party may ask for, and at which index."""

    __tablename__ = "party_service"

    party_id: Mapped[str] = mapped_column(Id, ForeignKey("party.id"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    index: Mapped[int]
    instance_uuid: Mapped[str] = mapped_column(String(36), ForeignKey("service.instance_uuid"))


_SERVICES = select(ServiceRow, ProviderRow.name.label("provider_name")).join(
    ProviderRow, ProviderRow.oin == ServiceRow.provider_oin
)


def read_services(connection: Connection) -> tuple[Service, ...]:
    """The whole catalogue, in the order of providers and services."""
    rows = connection.execute(_SERVICES.order_by(ServiceRow.provider_oin, ServiceRow.urn))
    return tuple(_service(row) for row in rows)


def read_party(connection: Connection, protocol: str, identity: str) -> Party | None:
    """The party with this entity ID or client ID, or None."""
    return _party(connection, PartyRow.protocol == protocol, PartyRow.identity == identity)


def read_party_by_id(connection: Connection, party_id: str) -> Party | None:
    """The party with this id of ours, or None."""
    return _party(connection, PartyRow.id == party_id)


def read_parties(connection: Connection) -> tuple[Party, ...]:
    """Every party, oldest first; for lists of an operator, not for a login."""
    ids = connection.execute(select(PartyRow.id).order_by(PartyRow.id)).scalars().all()
    return tuple(party for one in ids if (party := read_party_by_id(connection, one)) is not None)


def read_resolving(connection: Connection) -> tuple[str, ...]:
    """The entity IDs of SAML parties whose metadata name a resolution service of their own."""
    named = PartyRow.document.contains("ArtifactResolutionService")
    return tuple(connection.execute(select(PartyRow.identity).where(PartyRow.protocol == "saml", named)).scalars())


def settings_json(settings: PartySettings) -> str:
    """Settings in the form in which a row keeps them."""
    return json.dumps({name: getattr(settings, name) for name in PartySettings.__slots__}, sort_keys=True)


def _party(connection: Connection, *conditions: Any) -> Party | None:
    row = connection.execute(select(PartyRow).where(*conditions)).one_or_none()
    if row is None:
        return None
    linked = (
        _SERVICES.add_columns(PartyService.index.label("place_index"))
        .join(PartyService, PartyService.instance_uuid == ServiceRow.instance_uuid)
        .where(PartyService.party_id == row.id)
        .order_by(PartyService.place)
    )
    services = tuple((found.place_index, _service(found)) for found in connection.execute(linked))
    provider = connection.execute(select(ProviderRow).where(ProviderRow.oin == row.provider_oin)).one()
    return Party(
        id=row.id,
        protocol=row.protocol,
        identity=row.identity,
        name=row.name,
        provider=Provider(Oin(provider.oin), json.loads(provider.name)),
        settings=_settings(json.loads(row.settings)),
        services=services,
        document=row.document,
        version=row.version,
        secret_digest=row.secret_digest,
        former=read_former(connection, row.id),
        led_to=_led_to(connection, [one for _, one in services]),
    )


def _led_to(connection: Connection, services: Sequence[Service]) -> tuple[Service, ...]:
    """The services behind those that are portals; without any, nothing is asked of the database."""
    uuids = sorted({uuid for one in services for uuid in one.portal_for})
    if not uuids:
        return ()
    return tuple(_service(row) for row in connection.execute(_SERVICES.where(ServiceRow.instance_uuid.in_(uuids))))


def _settings(stored: dict[str, Any]) -> PartySettings:
    kinds: dict[str, Any] = {"profile": Profile, "reading": Reading, "deny_mode": DenyMode}
    typed: dict[str, Any] = {name: kinds[name](value) if name in kinds else value for name, value in stored.items()}
    return PartySettings(**typed)


def _service(row: AnyRow) -> Service:
    facts = json.loads(row.facts)
    return Service(
        uuid=ServiceUuid(row.uuid),
        instance_uuid=InstanceUuid(row.instance_uuid),
        urn=ServiceUrn(row.urn),
        slug=row.slug,
        provider=Provider(Oin(row.provider_oin), json.loads(row.provider_name)),
        name=facts["name"],
        description=facts["description"],
        level=Level(row.level),
        takes_restriction=row.takes_restriction,
        chains=row.chains,
        sso=row.sso,
        allow_lower=row.allow_lower,
        entity_types=tuple(tuple(types) for types in facts["entity_types"]),
        attributes=tuple(CatalogueAttribute(**one) for one in facts["attributes"]),
        url=facts["url"],
        enforced_from=row.enforced_from,
        public=facts.get("public", True),
        portal_for=tuple(InstanceUuid(one) for one in row.portal_for.split(",") if one),
    )
