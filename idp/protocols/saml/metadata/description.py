"""A relying party as its metadata describe it, ready to be registered (contract: ``idp providers add``)."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from idp.domain.demand import Reading
from idp.domain.parties import Party, Profile
from idp.protocols.saml.metadata.registration import Accepted, BadMetadata, Manner, judge
from idp.protocols.saml.metadata.sp_metadata import place_services
from idp.protocols.saml.xmlsec.xml import Schemas
from idp.services.relying_parties.parties import LONGEST_NAME, SAML, NewParty, NewProvider
from idp.services.relying_parties.settings import BadParty


def described(
    octets: bytes,
    services: tuple[str, ...],
    wishes: Mapping[str, str],
    provider: NewProvider | None,
    now: datetime,
    *,
    pinned: bool = False,
) -> NewParty:
    """The party of a metadata file handed in by an operator, judged in the wished profile and reading.

    ``pinned`` is for metadata that were fetched and carried the signature that the operator pinned. Raises ``BadParty``
    with every finding: its protocol code, and a sentence that tells what to mend (RUL-23, RUL-24).
    """
    profile = next((one for one in Profile if one == wishes.get("profile")), Profile.GENERIC)
    reading = next((one for one in Reading if one == wishes.get("reading")), Reading.LENIENT)
    accepted = _accepted(octets, Manner(profile, reading, now, pinned))
    metadata = accepted.metadata
    return NewParty(
        protocol=SAML,
        identity=metadata.entity_id,
        name=_shown(metadata.name or metadata.entity_id),
        document=octets.decode(),
        services=services,
        place=partial(place_services, metadata),
        declared=metadata.declared,
        provider=provider,
        settings=wishes,
        notes=tuple(f"{one.code}: {one.sentence}" for one in accepted.notes),
    )


def hold_to_profile(party: Party, profile: Profile, now: datetime) -> None:
    """Refuse a profile in which the metadata of a registered party cannot work in either reading (ENC-5).

    Raises ``BadParty`` as ``described`` does.
    """
    _accepted(party.document.encode(), Manner(profile, Reading.LENIENT, now))


def _shown(name: str) -> str:
    """A name as people can be shown it: signed metadata cannot be edited, and an operator can name a party anew."""
    printable = "".join(one for one in " ".join(name.split()) if one.isprintable())
    return printable[:LONGEST_NAME].strip()


def _accepted(octets: bytes, manner: Manner) -> Accepted:
    try:
        return judge(octets, manner, Schemas.load())
    except BadMetadata as bad:
        raise BadParty(" ".join(f"{one.code}: {one.sentence}" for one in bad.findings)) from bad
