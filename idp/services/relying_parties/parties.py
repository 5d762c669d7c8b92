"""Relying parties: added, set, shown and removed by an operator (contract: ``idp providers``)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import delete, insert, update

from idp.domain.audit import Event
from idp.domain.identifiers import InstanceUuid, Oin, ServiceUrn, ServiceUuid
from idp.domain.parties import Party, PartySettings, Profile, Provider, Service, by_name
from idp.services.catalogue.loading import write_provider, write_service
from idp.services.relying_parties.settings import BadParty, changed
from idp.services.work import Work
from idp.store.catalogue import (
    PartyRow,
    PartyService,
    read_parties,
    read_party,
    read_party_by_id,
    read_services,
    settings_json,
)
from idp.store.versions import DIRECTORY, bump

SAML, OIDC = "saml", "oidc"
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class NewProvider:
    """A provider that does not exist yet and gets copies of the services (RUL-10)."""

    name: str
    oin: str


Places = tuple[tuple[int, Service], ...]
Place = Callable[[Sequence[Service]], Places]


def in_order(services: Sequence[Service]) -> Places:
    """The places of services that are only told apart by their order, as OIDC does."""
    return tuple(enumerate(services))


@dataclass(frozen=True, slots=True)
class NewParty:
    """A relying party as its validated metadata or registration describes it.

    ``identity`` is the entity ID, or the client ID (empty: one is made); ``indices`` are the indices that SAML
    metadata declares, each with the ServiceID it names or an empty text; ``secret`` tells that the client proves
    itself with a secret; ``settings`` are in the words of ``idp providers set``; ``notes`` tell what was let pass.
    """

    protocol: str
    identity: str
    name: str
    document: str
    services: tuple[str, ...]
    place: Place = in_order
    declared: tuple[str, ...] = ()
    secret: bool = False
    provider: NewProvider | None = None
    settings: Mapping[str, str] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Added:
    """A party just registered; ``secret`` is shown this once and stored as a digest only (SEC-31)."""

    party: Party
    secret: str


def add(work: Work, new: NewParty) -> Added:
    """Register a relying party for services of one provider; raises ``BadParty`` (RUL-10, RUL-24)."""
    identity = new.identity or work.new_id()
    known = read_party(work.connection, new.protocol, identity)
    if known is not None:
        raise BadParty(f"{identity} is registered already, as {known.id}; remove it first.")
    services = _chosen(work, new.services)
    if new.provider is not None:
        services = _copied(work, new.provider, services, new.declared)
    _refuse_several(services)
    fallback = Profile.GENERIC if new.protocol == SAML else Profile.OIDC_STANDARD
    settings, name = changed(new.protocol, PartySettings(fallback), new.settings or {})
    party_id = work.new_id()
    secret = work.office.entropy.bytes(32).hex() if new.secret else ""
    values = {
        "id": party_id,
        "created_at": work.now,
        "protocol": new.protocol,
        "identity": identity,
        "name": checked_name(name or new.name or identity),
        "provider_oin": str(services[0].provider.oin),
        "settings": settings_json(settings),
        "document": new.document,
        "version": 1,
        "secret_digest": work.office.vault.digest(secret, "client-secret") if secret else "",
    }
    work.connection.execute(insert(PartyRow).values(values))
    for order, (index, service) in enumerate(new.place(services)):
        row = {"party_id": party_id, "place": order, "index": index, "instance_uuid": str(service.instance_uuid)}
        work.connection.execute(insert(PartyService).values(row))
    bump(work.connection, DIRECTORY)
    work.record(Event.PARTY_ADDED, party=party_id, provider=str(services[0].provider.oin))
    return Added(find(work, party_id), secret)


def configure(work: Work, party: str, wishes: Mapping[str, str]) -> Party:
    """Change settings of a party, named by id, entity ID or client ID; raises ``BadParty``."""
    found = find(work, party)
    settings, name = changed(found.protocol, found.settings, wishes)
    values: dict[str, Any] = {"settings": settings_json(settings), "version": found.version + 1}
    if name is not None:
        values["name"] = checked_name(name)
    work.connection.execute(update(PartyRow).where(PartyRow.id == found.id).values(values))
    bump(work.connection, DIRECTORY)
    work.record(Event.PARTY_CHANGED, party=found.id, changed=" ".join(sorted(wishes)))
    return find(work, found.id)


def renew(work: Work, party: Party, document: str) -> None:
    """Replace a party's metadata or registration; what was parsed from the old one is dropped everywhere."""
    values = {"document": document, "version": party.version + 1}
    work.connection.execute(update(PartyRow).where(PartyRow.id == party.id).values(values))
    bump(work.connection, DIRECTORY)
    work.record(Event.PARTY_CHANGED, party=party.id, changed="document")


def remove(work: Work, party: str) -> Party:
    """Take a party out; its provider and services stay. Raises ``BadParty``."""
    found = find(work, party)
    work.connection.execute(delete(PartyService).where(PartyService.party_id == found.id))
    work.connection.execute(delete(PartyRow).where(PartyRow.id == found.id))
    bump(work.connection, DIRECTORY)
    work.record(Event.PARTY_REMOVED, party=found.id)
    return found


def find(work: Work, party: str) -> Party:
    """The party with this id, entity ID or client ID; raises ``BadParty``."""
    connection = work.connection
    found = (
        read_party_by_id(connection, party)
        or read_party(connection, SAML, party)
        or read_party(connection, OIDC, party)
    )
    if found is None:
        raise BadParty(f"There is no party {party}; `idp providers list` shows them.")
    return found


def every(work: Work) -> tuple[Party, ...]:
    """All parties, oldest first."""
    return read_parties(work.connection)


def as_data(party: Party) -> dict[str, Any]:
    """A party as plain data, without its document."""
    settings = {name: getattr(party.settings, name) for name in PartySettings.__slots__}
    return {
        "id": party.id,
        "protocol": party.protocol,
        "entity_id" if party.protocol == SAML else "client_id": party.identity,
        "name": party.name,
        "provider": {"oin": str(party.provider.oin), "name": party.provider.name},
        "profile": party.settings.profile.value,
        "settings": {name: getattr(value, "value", value) for name, value in settings.items()},
        "services": [{"id": service.slug, "index": index} for index, service in party.services],
    }


def check_services(work: Work, names: Sequence[str]) -> None:
    """Hold services to what a party can have: known ones, of one provider; raises ``BadParty`` (RUL-10)."""
    _refuse_several(_chosen(work, names))


def _chosen(work: Work, names: Sequence[str]) -> list[Service]:
    """The services by catalogue name, ServiceID or UUID, in the order asked."""
    if not names:
        raise BadParty("Name at least one service; `idp catalogue show` lists them.")
    known = by_name(read_services(work.connection))
    for name in names:
        found = known.get(name, ())
        if not found:
            raise BadParty(f"The catalogue has no service {name}; `idp catalogue show` lists them.")
        if len(found) > 1:
            several = ", ".join(one.slug for one in found)
            raise BadParty(f"{name} is the UUID of several services; name those that are meant, of {several}.")
    services = [known[name][0] for name in names]
    if len({service.instance_uuid for service in services}) < len(services):
        raise BadParty("A service is named twice.")
    return services


def _refuse_several(services: Sequence[Service]) -> None:
    owners = sorted({str(service.provider.oin) for service in services})
    if len(owners) > 1:
        raise BadParty(f"The services belong to several providers ({', '.join(owners)}); a party belongs to one.")


def _copied(work: Work, provider: NewProvider, services: Sequence[Service], declared: Sequence[str]) -> list[Service]:
    """A new provider with copies of the services, under the ServiceIDs its metadata declares (RUL-10)."""
    try:
        owner = Provider(Oin(provider.oin), {"nl": checked_name(provider.name), "en": provider.name})
    except ValueError:
        raise BadParty(f"The OIN {provider.oin!r} is not 20 digits.") from None
    if any(one.provider.oin == owner.oin for one in read_services(work.connection)):
        raise BadParty(f"The provider {owner.oin} exists already; name its own services instead of --provider.")
    write_provider(work, owner)
    prefix = f"urn:etoegang:DV:{owner.oin}:services:"
    own = [name for name in declared if name.startswith(prefix) and ServiceUrn.pattern.fullmatch(name)]
    free = (name for place in range(1, 10_000) if (name := f"{prefix}{place}") not in own)
    definitions = {service.uuid: ServiceUuid(_new_uuid(work)) for service in services}
    instances = {service.instance_uuid: InstanceUuid(_new_uuid(work)) for service in services}
    copies = []
    for place, service in enumerate(services):
        if any(one not in instances for one in service.portal_for):
            raise BadParty(f"{service.slug} is a portal; name the services behind it too, so that all are copied.")
        copy = replace(
            service,
            uuid=definitions[service.uuid],
            portal_for=tuple(instances[one] for one in service.portal_for),
            instance_uuid=instances[service.instance_uuid],
            urn=ServiceUrn(own[place] if place < len(own) else next(free)),
            slug=f"{service.slug}-{owner.oin}"[:64],
            provider=owner,
        )
        write_service(work, copy)
        copies.append(copy)
    return copies


def checked_name(name: str) -> str:
    """A name that people can be shown; raises ``BadParty``."""
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise BadParty(f"A name has 1 to {LONGEST_NAME} printable characters, and no space at its ends.")
    return name


def _new_uuid(work: Work) -> str:
    text = work.office.entropy.bytes(16).hex()
    # Version 4, variant 1: what a reader of UUIDs expects of random bits.
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"
