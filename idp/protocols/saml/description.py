"""A SAML relying party as its metadata describe it, ready to be registered."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import count

from idp.domain.demand import Reading
from idp.domain.parties import Profile, Service
from idp.protocols.saml.registration import BadMetadata, Manner, judge
from idp.protocols.saml.sp_metadata import SpMetadata
from idp.protocols.saml.xml import Schemas
from idp.services.parties import SAML, NewParty, NewProvider, Places
from idp.services.party_settings import BadParty


def described(
    octets: bytes, services: tuple[str, ...], wishes: Mapping[str, str], provider: NewProvider | None, now: datetime
) -> NewParty:
    """A relying party as its metadata describe it, judged for the wished profile; raises ``BadParty`` (RUL-23)."""
    try:
        manner = Manner(Profile(wishes.get("profile", "generic")), Reading(wishes.get("reading", "lenient")), now)
        metadata = judge(octets, manner, Schemas.load()).metadata
    except BadMetadata as bad:
        raise BadParty(" ".join(f"{one.code}: {one.sentence}" for one in bad.findings)) from bad
    except ValueError as error:
        raise BadParty(f"{error}; see `idp providers add --help` for what may be wished.") from error
    return NewParty(
        protocol=SAML,
        identity=metadata.entity_id,
        name=metadata.entity_id[:200],
        document=octets.decode(),
        services=services,
        place=partial(_places, metadata),
        declared=tuple(name for _, name in sorted(_indices(metadata)) if name),
        provider=provider,
        settings=wishes,
    )


def _places(metadata: SpMetadata, services: Sequence[Service]) -> Places:
    """Give every service the index that names it, else the next index that names none of ours, else a new one."""
    declared = _indices(metadata)
    by_name = {name: index for index, name in declared if name}
    ours = {str(service.urn) for service in services}
    spare = [index for index, name in sorted(declared) if name not in ours]
    taken = {index for index, _ in declared}
    further = (index for index in count(1) if index not in taken)
    named = ((by_name.get(str(service.urn)), service) for service in services)
    return tuple(
        (index if index is not None else spare.pop(0) if spare else next(further), service) for index, service in named
    )


def _indices(metadata: SpMetadata) -> tuple[tuple[int, str], ...]:
    """The indices that the metadata declare, each with the ServiceID it names first, if it names one."""
    return tuple((one.index, one.attributes[0][0] if one.attributes else "") for one in metadata.services)
