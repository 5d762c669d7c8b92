"""What newer metadata of a relying party change, and what of it makes a login less safe."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from idp.protocols.saml.metadata.sp_metadata import Consumer, SpMetadata

# Whether it is safe, by how an address is told.
_Safe = dict[str, bool]


@dataclass(frozen=True, slots=True)
class Change:
    """Something that differs: ``weaker`` tells that nobody should take it over without having looked."""

    subject: str
    before: str
    after: str
    weaker: bool = False


def difference(old: SpMetadata, new: SpMetadata, *, scheme: bool) -> tuple[Change, ...]:
    """Everything that differs between two metadata of a party, what weakens first; ``scheme``: one of eHerkenning."""
    found = [change for compare in _COMPARED for change in compare(old, new)]
    if not scheme:
        found += _secrecy(old, new)
    return tuple(sorted(found, key=lambda one: not one.weaker))


def _identity(old: SpMetadata, new: SpMetadata) -> Iterator[Change]:
    if old.entity_id != new.entity_id:
        yield Change("entityID", old.entity_id, new.entity_id, weaker=True)


def _flags(old: SpMetadata, new: SpMetadata) -> Iterator[Change]:
    pairs = (
        ("AuthnRequestsSigned", old.signs_requests, new.signs_requests),
        ("WantAssertionsSigned", old.wants_signed_assertions, new.wants_signed_assertions),
    )
    for subject, before, after in pairs:
        if before != after:
            yield Change(subject, _flag(before), _flag(after), weaker=before)


def _keys(old: SpMetadata, new: SpMetadata) -> Iterator[Change]:
    before = {one.fingerprint: one for one in old.signing if one.ends_at is None}
    after = {one.fingerprint: one for one in new.signing}
    if before and not after:
        yield Change("signing certificates", ", ".join(before), "none", weaker=True)
    yield from _added_and_gone("signing certificate", set(before), set(after))
    ciphers, now = {one.fingerprint for one in old.encryption}, {one.fingerprint for one in new.encryption}
    if ciphers and not now:
        yield Change("encryption certificates", ", ".join(sorted(ciphers)), "none", weaker=True)
    yield from _added_and_gone("encryption certificate", ciphers, now)


def _secrecy(old: SpMetadata, new: SpMetadata) -> Iterator[Change]:
    """A certificate for encryption alone asks for encrypted assertions; in the scheme any will do for identifiers."""
    before, after = old.wants_encryption, new.wants_encryption
    if before != after:
        yield Change("encryption of assertions", _flag(before), _flag(after), weaker=before)


def _endpoints(old: SpMetadata, new: SpMetadata) -> Iterator[Change]:
    yield from _addresses("AssertionConsumerService", _indexed(old.consumers), _indexed(new.consumers))
    yield from _addresses("ArtifactResolutionService", _indexed(old.resolvers), _indexed(new.resolvers))
    yield from _addresses("SingleLogoutService", _logouts(old), _logouts(new))


def _addresses(subject: str, before: _Safe, after: _Safe) -> Iterator[Change]:
    """An unsafe address weakens, unless there was one before."""
    for name in sorted(before.keys() - after.keys()):
        yield Change(subject, name, "")
    for name in sorted(after.keys() - before.keys()):
        yield Change(subject, "", name, weaker=all(before.values()) and not after[name])


def _indexed(endpoints: Sequence[Consumer]) -> _Safe:
    return {f"{one.index} {one.binding} {one.location}": _safe(one.location) for one in endpoints}


def _logouts(metadata: SpMetadata) -> _Safe:
    """A request goes to one address and an answer may go to another: both have to be safe."""
    return {
        " ".join(dict.fromkeys((one.binding, one.location, one.response_location))): _safe(one.location)
        and _safe(one.response_location)
        for one in metadata.logouts
    }


def _services(old: SpMetadata, new: SpMetadata) -> Iterator[Change]:
    before = {f"{one.index} {' '.join(name for name, _ in one.attributes)}" for one in old.services}
    after = {f"{one.index} {' '.join(name for name, _ in one.attributes)}" for one in new.services}
    yield from _added_and_gone("AttributeConsumingService", before, after)


def _added_and_gone(subject: str, before: set[str], after: set[str]) -> Iterator[Change]:
    for one in sorted(before - after):
        yield Change(subject, one, "")
    for one in sorted(after - before):
        yield Change(subject, "", one)


def _safe(location: str) -> bool:
    return urlsplit(location).scheme == "https"


def _flag(value: bool) -> str:
    return "true" if value else "false"


_COMPARED: Final[tuple[Callable[[SpMetadata, SpMetadata], Iterator[Change]], ...]] = (
    _identity,
    _flags,
    _keys,
    _endpoints,
    _services,
)
