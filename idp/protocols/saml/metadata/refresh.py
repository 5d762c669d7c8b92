"""Newer metadata of a registered relying party: fetched or handed in, compared, taken over or refused (SEC-18)."""

from dataclasses import dataclass

from idp.domain.audit import Event
from idp.domain.parties import Party
from idp.ports import Fetcher, FetchFailed
from idp.protocols.saml.metadata.aggregate import only, pinned_keys
from idp.protocols.saml.metadata.drift import Change, difference
from idp.protocols.saml.metadata.registration import BadMetadata, Manner, judge
from idp.protocols.saml.metadata.sp_metadata import SpMetadata, of_party, read_descriptor
from idp.protocols.saml.xmlsec.refusal import Refused
from idp.protocols.saml.xmlsec.xml import METADATA, Schemas, parse
from idp.services.relying_parties import parties
from idp.services.relying_parties.keys import FILE, URL, Listed, keep_certificates, note_try, source_of, take_due
from idp.services.work import Office

_AT_ONCE = 20


class NotTaken(Exception):
    """Newer metadata were not taken over, and the last good ones stay; the text is for an operator."""


@dataclass(frozen=True, slots=True)
class Newer:
    """Newer metadata that may be taken over, and what they change."""

    document: str
    metadata: SpMetadata
    changes: tuple[Change, ...]

    @property
    def weaker(self) -> tuple[Change, ...]:
        """What of it makes a login less safe."""
        return tuple(one for one in self.changes if one.weaker)


@dataclass(frozen=True, slots=True)
class Intent:
    """What is to be done with newer metadata: only told, or taken over, even when they weaken."""

    dry_run: bool = False
    accept_weaker: bool = False


def fetch(office: Office, party: Party, fetcher: Fetcher, schemas: Schemas) -> Newer:
    """What the address of a party holds, signed by whom an operator pinned; raises ``NotTaken``."""
    with office.reading() as connection:
        source = source_of(connection, party.id)
    if source is None:
        raise NotTaken(f"{party.identity} has no address to fetch from; set one: idp providers follow")
    try:
        octets = fetcher.get(source.url).octets
        document = only(octets, party.identity, pinned_keys(source.signer.encode()), schemas)
    except FetchFailed as failed:
        raise NotTaken(str(failed)) from failed
    except Refused as refused:
        raise NotTaken(
            f"What {source.url} holds is not the metadata of {party.identity} with the pinned signature: "
            f"{refused.detail[:300]}."
        ) from refused
    return examine(office, party, document, pinned=True)


def examine(office: Office, party: Party, document: bytes, *, pinned: bool) -> Newer:
    """Judge newer metadata by the settings of the party, and compare; raises ``NotTaken``."""
    manner = Manner(party.settings.profile, party.settings.reading, office.clock.now(), pinned)
    try:
        metadata = judge(document, manner, Schemas.load()).metadata
    except BadMetadata as bad:
        raise NotTaken(" ".join(f"{one.code}: {one.sentence}" for one in bad.findings)) from bad
    return Newer(document.decode(), metadata, difference(of_party(party), metadata, scheme=manner.scheme))


def take_over(office: Office, party: Party, newer: Newer, source: str, accept_weaker: bool) -> None:
    """Replace a party's metadata; what weakens is refused and recorded, unless it is accepted. Raises ``NotTaken``."""
    named = ", ".join(f"{one.subject}: {one.before or 'none'} → {one.after or 'none'}" for one in newer.weaker)
    renamed = newer.metadata.entity_id != party.identity
    with office.work("worker" if source == URL else "operator") as work:
        if renamed or (named and not accept_weaker):
            subjects = " ".join(sorted({one.subject.replace(" ", "-") for one in newer.weaker}))
            work.record(Event.PARTY_WEAKENED, party=party.id, changed=subjects)
        elif newer.document != party.document:
            known = parties.find(work, party.id)
            keep_certificates(work, party.id, listed_of(known.document), FILE)
            keep_certificates(work, party.id, listed_of(newer.document), source)
            parties.renew(work, known, newer.document)
    if renamed:
        raise NotTaken(f"Another entity, {newer.metadata.entity_id}: register it with idp providers add.")
    if named and not accept_weaker:
        raise NotTaken(f"Refused, because it weakens: {named}. Ask the provider; then use --accept-weaker.")


def refresh(office: Office, party: Party, fetcher: Fetcher, intent: Intent) -> Newer:
    """Fetch, compare and take over; how it went is remembered, and on any failure the last good ones stay."""
    trouble = ""
    try:
        newer = fetch(office, party, fetcher, Schemas.load())
        if not intent.dry_run:
            take_over(office, party, newer, URL, intent.accept_weaker)
        return newer
    except NotTaken as reason:
        trouble = str(reason)
        raise
    finally:
        if not intent.dry_run:
            with office.work("worker") as work:
                note_try(work, party.id, trouble)


def refresh_due(office: Office, fetcher: Fetcher) -> dict[str, str]:
    """Fetch what is due; answers how it went by entity ID, for the worker."""
    found = {}
    for party_id in take_due(office, parties.SAML, _AT_ONCE):
        party = office.directory.party_by_id(party_id)
        if party is None:
            continue
        try:
            newer = refresh(office, party, fetcher, Intent())
            found[party.identity] = f"{len(newer.changes)} changes"
        except NotTaken as reason:
            found[party.identity] = str(reason)
    return found


def listed_of(document: str) -> tuple[Listed, ...]:
    """The certificates that a party's metadata list."""
    metadata = read_descriptor(parse(document.encode(), METADATA))
    return tuple(Listed(one.fingerprint, one.use, one.body) for one in metadata.certificates)


__all__ = [
    "FILE",
    "Intent",
    "Newer",
    "NotTaken",
    "examine",
    "fetch",
    "listed_of",
    "refresh",
    "refresh_due",
    "take_over",
]
