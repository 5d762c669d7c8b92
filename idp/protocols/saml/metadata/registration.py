"""Judging a relying party's metadata before it is registered (domain 6.1)."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from idp.domain.demand import Reading
from idp.domain.identifiers import ServiceUrn
from idp.domain.parties import Profile
from idp.protocols.saml.metadata.sp_metadata import ANSWERABLE, SpMetadata, read_certificate, read_descriptor
from idp.protocols.saml.names import is_identifying
from idp.protocols.saml.xmlsec.algorithms import MOST_KEYS
from idp.protocols.saml.xmlsec.refusal import Refused
from idp.protocols.saml.xmlsec.signature import verify
from idp.protocols.saml.xmlsec.xml import DS, METADATA, Element, Schemas, parse
from idp.settings import is_local

_SIGNATURE: Final = f"{{{DS}}}Signature"
_SIGNER: Final = f"{{{DS}}}Signature/{{{DS}}}KeyInfo/{{{DS}}}X509Data/{{{DS}}}X509Certificate"
_LONGEST_ADDRESS: Final = 2048
_AUTHORITY: Final = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)
_ENTITY_ID: Final = re.compile(r"urn:etoegang:(?:DV|HM|EB):[0-9]{20}:entities:[0-9]{1,4}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not right: a protocol code of features D.3, and a sentence that tells what to mend."""

    code: str
    sentence: str


class BadMetadata(Exception):
    """Metadata that cannot be registered, with every finding."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__(" ".join(one.sentence for one in findings))
        self.findings = findings


@dataclass(frozen=True, slots=True)
class Accepted:
    """Metadata that may be registered, and what the lenient reading lets pass."""

    metadata: SpMetadata
    notes: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Manner:
    """How to judge: the profile and reading to be registered with, and the instant.

    ``pinned`` tells that the metadata carried the signature that an operator pinned.
    """

    profile: Profile
    reading: Reading
    now: datetime
    pinned: bool = False

    @property
    def scheme(self) -> bool:
        """Whether the rules of eHerkenning hold."""
        return self.profile in (Profile.EHERKENNING_111, Profile.EHERKENNING_113)


_Check = Callable[[SpMetadata, Manner], Iterator[str]]


def judge(octets: bytes, manner: Manner, schemas: Schemas) -> Accepted:
    """The metadata of a file handed in by an operator (RUL-23).

    Raises ``BadMetadata``: P10 for what is not metadata, P14 for expired or unsigned, P03 for addresses, P02 for keys,
    P06 for bindings, P15 for services. What only the strict reading refuses becomes a note in the lenient one.
    """
    try:
        root = parse(octets, METADATA)
        schemas.validate(root)
        vouched = _vouched(root)
        metadata = read_descriptor(parse(octets, METADATA) if vouched is None else vouched)
    except Refused as refused:
        raise BadMetadata(
            (Finding("P10", f"These are not the metadata of one SAML relying party: {refused.detail}"),)
        ) from refused
    except ValueError as error:
        raise BadMetadata((Finding("P10", f"The metadata carry a value that cannot be read: {error}."),)) from error
    errors = [Finding(code, one) for code, check in _ALWAYS for one in check(metadata, manner)]
    doubts = [Finding(code, one) for code, check in _STRICT for one in check(metadata, manner)]
    if manner.scheme:
        doubts += [Finding(code, one) for code, check in _SCHEME for one in check(metadata, manner)]
        if vouched is None and not manner.pinned:
            doubts.append(Finding("P14", "The metadata are unsigned, or their signature does not hold: sign them."))
    if manner.pinned:
        # What is fetched may be an old copy that somebody kept.
        errors += [Finding("P14", one) for one in _expiry(metadata, manner)]
    if manner.reading is Reading.STRICT:
        errors, doubts = [*dict.fromkeys(errors + doubts)], []
    if errors:
        raise BadMetadata(tuple(errors))
    return Accepted(metadata, tuple(doubts))


def _vouched(root: Element) -> Element | None:
    """The signed root, when one of its own certificates holds its signature: integrity, not trust (domain 6.1)."""
    if root.find(_SIGNATURE) is None:
        return None
    nodes = [*root.findall(_SIGNER), *root.iterfind(f".//{{{DS}}}X509Certificate")]
    keys = {"".join((node.text or "").split()): read_certificate(node)[1] for node in nodes}
    try:
        return parse(verify(root, str(root.tag), list(keys.values())[:MOST_KEYS]), METADATA)
    except Refused:
        return None


def _consumers(metadata: SpMetadata, _manner: Manner) -> Iterator[str]:
    if not any(one.binding in ANSWERABLE for one in metadata.consumers):
        yield (
            "We answer by HTTP-POST or HTTP-Artifact, and the metadata have no AssertionConsumerService with either "
            f"binding: add one with Binding {' or '.join(ANSWERABLE)}."
        )


def _addresses(metadata: SpMetadata, _manner: Manner) -> Iterator[str]:
    indexes = [one.index for one in metadata.consumers]
    for twice in sorted({one for one in indexes if indexes.count(one) > 1}):
        yield f"The AssertionConsumerService index {twice} stands twice: give each its own."
    for name, location in _places(metadata):
        if not _absolute(location, ("https", "http")):
            yield f"The {name} Location {location[:200]!r} is no web address: write it in full."


def _safe_addresses(metadata: SpMetadata, _manner: Manner) -> Iterator[str]:
    for name, location in _places(metadata):
        if _absolute(location, ("http",)) and not is_local(urlsplit(location).hostname or ""):
            yield f"The {name} Location {location[:200]} is not safe: use https."


def _places(metadata: SpMetadata) -> Iterator[tuple[str, str]]:
    """Every address to which we send something, by the name of its element."""
    yield from (("AssertionConsumerService", one.location) for one in metadata.consumers)
    yield from (("ArtifactResolutionService", one.location) for one in metadata.resolvers)
    for one in metadata.logouts:
        yield from (("SingleLogoutService", place) for place in dict.fromkeys((one.location, one.response_location)))


def _absolute(location: str, schemes: tuple[str, ...]) -> bool:
    """Whether an address is whole and plain; its host also stands in a header of ours, so it has no other letters."""
    if len(location) > _LONGEST_ADDRESS or not location.isascii() or not location.isprintable() or " " in location:
        return False
    try:
        parts = urlsplit(location)
    except ValueError:
        return False
    return parts.scheme in schemes and _AUTHORITY.fullmatch(parts.netloc) is not None


def _keys(metadata: SpMetadata, manner: Manner) -> Iterator[str]:
    if len(metadata.signing) > MOST_KEYS:
        yield f"More than {MOST_KEYS} signing certificates: leave the old ones out."
    if manner.profile is Profile.EHERKENNING_113 and not metadata.encryption:
        yield (
            "Identifiers are encrypted in eherkenning-1.13 and the metadata have no RSA certificate to encrypt for: "
            'add a KeyDescriptor with use="encryption".'
        )
    for one in metadata.certificates:
        if one.weak:
            yield f"The key of certificate {one.fingerprint} is not accepted: use RSA from 2048 bits, P-256 or P-384."


def _signing_keys(metadata: SpMetadata, manner: Manner) -> Iterator[str]:
    if not metadata.signing:
        yield (
            "The metadata have no signing certificate, so no request can be believed: add a KeyDescriptor with "
            'use="signing", or waive signatures with require_signed_requests=false.'
        )
    for one in metadata.certificates:
        if not one.valid(manner.now):
            yield (
                f"The certificate {one.fingerprint} is valid from {one.not_before:%Y-%m-%d} to "
                f"{one.not_after:%Y-%m-%d}: use one that is valid now."
            )


def _expiry(metadata: SpMetadata, manner: Manner) -> Iterator[str]:
    if metadata.valid_until is not None and metadata.valid_until < manner.now:
        yield f"The metadata were valid until {metadata.valid_until:%Y-%m-%d %H:%M} UTC: fetch newer ones."


def _indexes(metadata: SpMetadata, _manner: Manner) -> Iterator[str]:
    indexes = [one.index for one in metadata.services]
    for twice in sorted({one for one in indexes if indexes.count(one) > 1}):
        yield f"The AttributeConsumingService index {twice} stands twice: give each its own."


def _scheme_name(metadata: SpMetadata, _manner: Manner) -> Iterator[str]:
    if not _ENTITY_ID.fullmatch(metadata.entity_id):
        yield f"The entityID {metadata.entity_id[:200]} is not of the form urn:etoegang:DV:<OIN>:entities:<index>."


def _scheme_flags(metadata: SpMetadata, _manner: Manner) -> Iterator[str]:
    if not metadata.signs_requests:
        yield 'SPSSODescriptor has no AuthnRequestsSigned="true": add it.'
    if not metadata.wants_signed_assertions:
        yield 'SPSSODescriptor has no WantAssertionsSigned="true": add it.'
    if metadata.name_id_formats:
        yield "NameIDFormat must not be included: leave it out."


def _scheme_keys(metadata: SpMetadata, _manner: Manner) -> Iterator[str]:
    for one in metadata.signing:
        if not one.name:
            yield f"The signing certificate {one.fingerprint} has no KeyName: give it one."


def _scheme_services(metadata: SpMetadata, _manner: Manner) -> Iterator[str]:
    if not metadata.services:
        yield "The metadata have no AttributeConsumingService: add one for each service."
    if len(metadata.services) > 1 and sum(one.default is True for one in metadata.services) != 1:
        yield 'With more than one AttributeConsumingService exactly one must have isDefault="true".'
    for service in metadata.services:
        if not service.attributes or not ServiceUrn.pattern.fullmatch(service.attributes[0][0]):
            yield (
                f"The first RequestedAttribute of AttributeConsumingService {service.index} must name the ServiceID, "
                "urn:etoegang:DV:<OIN>:services:<index>."
            )
        for name, _ in service.attributes:
            if is_identifying(name):
                yield f"The attribute {name} follows from the service catalogue: do not request it."


_ALWAYS: Final[tuple[tuple[str, _Check], ...]] = (
    ("P06", _consumers),
    ("P03", _addresses),
    ("P02", _keys),
    ("P15", _indexes),
)
_STRICT: Final[tuple[tuple[str, _Check], ...]] = (
    ("P14", _expiry),
    ("P03", _safe_addresses),
    ("P02", _signing_keys),
)
_SCHEME: Final[tuple[tuple[str, _Check], ...]] = (
    ("P01", _scheme_name),
    ("P14", _scheme_flags),
    ("P02", _scheme_keys),
    ("P15", _scheme_services),
)
