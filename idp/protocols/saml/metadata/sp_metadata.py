"""What a relying party's metadata say, as values."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from idp.domain.identifiers import ServiceUrn
from idp.domain.parties import FormerCertificate, Party, Service
from idp.protocols.saml.names import PROTOCOL, Binding
from idp.protocols.saml.times import read_instant
from idp.protocols.saml.xmlsec.algorithms import CURVES, RSA_BITS, VerificationKey
from idp.protocols.saml.xmlsec.refusal import Fault, Refused
from idp.protocols.saml.xmlsec.xml import DS, MD, METADATA, Element, decode_base64, parse

# Bindings by which this release can answer; an entry more here needs a way there in ``delivery``.
ANSWERABLE: Final = (Binding.POST, Binding.ARTIFACT)

_CERTIFICATE: Final = f"{{{DS}}}KeyInfo/{{{DS}}}X509Data/{{{DS}}}X509Certificate"
_KEY_NAME: Final = f"{{{DS}}}KeyInfo/{{{DS}}}KeyName"
_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_MOST_CONSUMERS: Final = 200


@dataclass(frozen=True, slots=True)
class Consumer:
    """An AssertionConsumerService or ArtifactResolutionService; ``default`` is None when the metadata do not say."""

    index: int
    binding: str
    location: str
    default: bool | None


@dataclass(frozen=True, slots=True)
class LogoutService:
    """A SingleLogoutService; answers go to ``response_location``, which is ``location`` unless it has one."""

    binding: str
    location: str
    response_location: str


@dataclass(frozen=True, slots=True)
class AttributeService:
    """An AttributeConsumingService: an index for a service, with the attributes it asks, in their order."""

    index: int
    default: bool | None
    name: str
    attributes: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class Certificate:
    """A registered certificate. ``use`` is ``signing``, ``encryption`` or empty for both; ``weak`` tells that we
    accept no signature by its key (RUL-27); ``methods`` are the EncryptionMethods offered with it; ``fingerprint`` is
    SHA-256 in hex; ``body`` is DER in base64. ``ends_at`` is set for one that the metadata no longer list."""

    use: str
    name: str | None
    key: VerificationKey
    weak: bool
    fingerprint: str
    not_before: datetime
    not_after: datetime
    methods: frozenset[str]
    body: str = ""
    ends_at: datetime | None = None

    def counts(self, now: datetime) -> bool:
        """Whether the metadata list it, or listed it not long ago (domain 6.1)."""
        return self.ends_at is None or now < self.ends_at

    def valid(self, now: datetime) -> bool:
        """Whether its own dates allow it."""
        return self.not_before <= now <= self.not_after


@dataclass(frozen=True, slots=True)
class SpMetadata:
    """The SPSSODescriptor of one entity.

    ``signing`` are the certificates whose keys may sign requests; ``encryption`` those to encrypt for: meant for that
    alone, else without a use (ENC-5). ``resolvers`` are the services that keep its requests by artifact, ``logouts``
    those that take a LogoutRequest or its answer.
    """

    entity_id: str
    name: str
    consumers: tuple[Consumer, ...]
    certificates: tuple[Certificate, ...]
    signing: tuple[Certificate, ...]
    encryption: tuple[Certificate, ...]
    services: tuple[AttributeService, ...]
    resolvers: tuple[Consumer, ...]
    logouts: tuple[LogoutService, ...]
    name_id_formats: tuple[str, ...]
    signs_requests: bool
    wants_signed_assertions: bool
    valid_until: datetime | None

    @property
    def wants_encryption(self) -> bool:
        """Whether it asks for encrypted assertions, by offering a certificate for that alone."""
        return any(one.use == "encryption" for one in self.encryption)

    @property
    def default_consumer(self) -> Consumer | None:
        """Where to answer a request that names no place, among those we can answer to (SAML metadata 2.4.4)."""
        able = [one for one in self.consumers if one.binding in ANSWERABLE]
        preferred = [one for one in able if one.default] or [one for one in able if one.default is None] or able
        return preferred[0] if preferred else None

    @property
    def declared(self) -> tuple[str, ...]:
        """The ServiceIDs that the metadata name, the default first."""
        names = [name for one in _default_first(self) for name, _ in one.attributes]
        return tuple(name for name in dict.fromkeys(names) if ServiceUrn.pattern.fullmatch(name))

    def service(self, index: int) -> AttributeService | None:
        """The AttributeConsumingService with this index, or None."""
        return next((one for one in self.services if one.index == index), None)


def of_party(party: Party) -> SpMetadata:
    """The metadata with which a party was registered; for ``Directory.parsed``. Raises ``Refused``.

    Signing certificates of earlier metadata that still count come last.
    """
    metadata = read_descriptor(parse(party.document.encode(), METADATA))
    if not party.former:
        return metadata
    listed = {one.fingerprint for one in metadata.signing}
    former = [one for one in map(_former, party.former) if one.use != "encryption" and not one.weak]
    return replace(metadata, signing=metadata.signing + tuple(one for one in former if one.fingerprint not in listed))


def read_descriptor(root: Element) -> SpMetadata:
    """The one relying party of a metadata document, trusted as given; raises ``Refused`` when there is none."""
    entity, role = _sp_of(root)
    nodes = role.findall(f"{{{MD}}}AssertionConsumerService")[:_MOST_CONSUMERS]
    services = tuple(map(_attribute_service, role.findall(f"{{{MD}}}AttributeConsumingService")[:_MOST_CONSUMERS]))
    certificates = tuple(
        one
        for descriptor in role.findall(f"{{{MD}}}KeyDescriptor")
        for one in map(partial(_certificate, descriptor), descriptor.findall(_CERTIFICATE))
    )
    until = [one.get("validUntil") for one in (root, entity, role)]
    return SpMetadata(
        entity_id=entity.get("entityID", ""),
        name=_display_name(entity, services),
        consumers=tuple(map(_consumer, nodes)),
        certificates=certificates,
        signing=tuple(one for one in certificates if one.use in ("signing", "") and not one.weak),
        encryption=_for_encryption(certificates),
        services=services,
        resolvers=tuple(map(_consumer, role.findall(f"{{{MD}}}ArtifactResolutionService")[:_MOST_CONSUMERS])),
        logouts=tuple(map(_logout_service, role.findall(f"{{{MD}}}SingleLogoutService")[:_MOST_CONSUMERS])),
        name_id_formats=tuple((one.text or "").strip() for one in role.findall(f"{{{MD}}}NameIDFormat")),
        signs_requests=_true(role.get("AuthnRequestsSigned")),
        wants_signed_assertions=_true(role.get("WantAssertionsSigned")),
        valid_until=min((read_instant(text) for text in until if text), default=None),
    )


def place_services(metadata: SpMetadata, services: Sequence[Service]) -> tuple[tuple[int, Service], ...]:
    """At which AttributeConsumingServiceIndex each service is asked for; the order is kept, the first is the default.

    An index of the metadata that names the ServiceID goes to that service; the others get the remaining indexes of
    the metadata in their order, and then the lowest free numbers from 1.
    """
    named = {name: one.index for one in metadata.services for name, _ in one.attributes}
    matched = {service.instance_uuid: named[service.urn] for service in services if service.urn in named}
    taken = set(matched.values())
    left = [one.index for one in _default_first(metadata) if one.index not in taken]
    left += [
        number for number in range(1, len(services) + len(taken) + len(left) + 1) if number not in taken | set(left)
    ]
    rest = iter(left)
    return tuple((matched[one.instance_uuid] if one.instance_uuid in matched else next(rest), one) for one in services)


def _default_first(metadata: SpMetadata) -> list[AttributeService]:
    return sorted(metadata.services, key=lambda one: not one.default)


def _sp_of(root: Element) -> tuple[Element, Element]:
    entities = [root] if root.tag == f"{{{MD}}}EntityDescriptor" else root.findall(f"{{{MD}}}EntityDescriptor")
    found = [
        (entity, role)
        for entity in entities
        for role in entity.findall(f"{{{MD}}}SPSSODescriptor")
        if PROTOCOL in role.get("protocolSupportEnumeration", "").split()
    ]
    if len(found) != 1:
        raise Refused(Fault.MALFORMED, f"{len(found)} relying parties of SAML 2.0 where one belongs")
    return found[0]


def _consumer(node: Element) -> Consumer:
    return Consumer(
        index=int(node.get("index", "0")),
        binding=node.get("Binding", ""),
        location=node.get("Location", ""),
        default=_maybe(node.get("isDefault")),
    )


def _logout_service(node: Element) -> LogoutService:
    location = node.get("Location", "")
    return LogoutService(node.get("Binding", ""), location, node.get("ResponseLocation") or location)


def _attribute_service(node: Element) -> AttributeService:
    attributes = node.findall(f"{{{MD}}}RequestedAttribute")
    return AttributeService(
        index=int(node.get("index", "0")),
        default=_maybe(node.get("isDefault")),
        name=_in_dutch(node.findall(f"{{{MD}}}ServiceName")),
        attributes=tuple((one.get("Name", ""), _true(one.get("isRequired"))) for one in attributes),
    )


def _certificate(descriptor: Element, node: Element) -> Certificate:
    name = descriptor.find(_KEY_NAME)
    return replace(
        _described(node.text or "", descriptor.get("use", "")),
        name=None if name is None else (name.text or "").strip(),
        methods=frozenset(one.get("Algorithm", "") for one in descriptor.findall(f"{{{MD}}}EncryptionMethod")),
    )


def _former(one: FormerCertificate) -> Certificate:
    return replace(_described(one.certificate, one.use), ends_at=one.ends_at)


def _described(body: str, use: str) -> Certificate:
    certificate, key = _open(body)
    return Certificate(
        use=use,
        name=None,
        key=key,
        weak=key.key_size not in RSA_BITS if isinstance(key, RSAPublicKey) else key.curve.name not in CURVES,
        fingerprint=certificate.fingerprint(SHA256()).hex(),
        not_before=certificate.not_valid_before_utc.astimezone(UTC),
        not_after=certificate.not_valid_after_utc.astimezone(UTC),
        methods=frozenset(),
        body="".join(body.split()),
    )


def _for_encryption(certificates: Sequence[Certificate]) -> tuple[Certificate, ...]:
    usable = [one for one in certificates if isinstance(one.key, RSAPublicKey) and not one.weak]
    meant = tuple(one for one in usable if one.use == "encryption")
    return meant or tuple(one for one in usable if not one.use)


def read_certificate(node: Element) -> tuple[x509.Certificate, VerificationKey]:
    """The certificate in an X509Certificate and its key; ``Refused(MALFORMED)`` for one we cannot read."""
    return _open(node.text or "")


def _open(body: str) -> tuple[x509.Certificate, VerificationKey]:
    try:
        certificate = x509.load_der_x509_certificate(decode_base64(body))
        key = certificate.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise Refused(Fault.MALFORMED, f"a certificate cannot be read: {error}") from error
    if not isinstance(key, RSAPublicKey | EllipticCurvePublicKey):
        raise Refused(Fault.MALFORMED, "a certificate is neither of RSA nor of an elliptic curve")
    return certificate, key


def _display_name(entity: Element, services: Sequence[AttributeService]) -> str:
    names = entity.findall(f"{{{MD}}}Organization/{{{MD}}}OrganizationDisplayName")
    return _in_dutch(names) or next((one.name for one in services if one.name), "")


def _in_dutch(nodes: Sequence[Element]) -> str:
    """The Dutch text among localised ones, else the first."""
    texts = {node.get(_LANG, ""): (node.text or "").strip() for node in reversed(nodes)}
    return texts.get("nl", next(reversed(texts.values()), ""))


def _true(text: str | None) -> bool:
    return text is not None and text.strip() in ("true", "1")


def _maybe(text: str | None) -> bool | None:
    return None if text is None else _true(text)
