"""The scheme's service catalogue in XML, read into the form that our own catalogue file has (domain 5.2, 5.6)."""

import re
from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from idp.domain.assurance import level_of_uri
from idp.domain.identifiers import ServiceUrn
from idp.domain.parties import Service
from idp.protocols.saml.catalogue.classifiers import read_classifiers
from idp.protocols.saml.catalogue.names import (
    BRANCH_RESTRICTION,
    EIDAS,
    LEVEL,
    LIMITS,
    NAMESPACES,
    catalogue_schema,
)
from idp.protocols.saml.metadata.sp_metadata import read_certificate
from idp.protocols.saml.xmlsec.algorithms import VerificationKey
from idp.protocols.saml.xmlsec.refusal import Refused
from idp.protocols.saml.xmlsec.signature import verify
from idp.protocols.saml.xmlsec.xml import DS, Element, parse, parse_canonical
from idp.services.catalogue.file import ENTITY_TYPES, LANGUAGES, BadCatalogue, Draft, Listed, judge
from idp.services.catalogue.portals import plain_name
from idp.services.decision.conclusion import PERSONAL_ATTRIBUTES

_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_BREAK: Final = re.compile(r" *[\t\r\n][ \t\r\n]*")
_GIVEN_ELSEWHERE: Final = re.compile(r"urn:etoegang:[0-9.]+:attribute(?:-represented|-intermediate)?:[A-Za-z]+")
_TYPES: Final = {urn: name for name, urn in ENTITY_TYPES.items()}
_SMALLEST_KEY: Final = 2048
_UNSIGNED: Final = "It is not signed; it counts as a draft, on the word of whoever hands it in."
_UNCHECKED: Final = (
    "Its signature was not checked, because no certificate was named (--certificate); it counts as a draft, on the "
    "word of whoever hands it in."
)
_SIGNED: Final = "Its signature is that of the certificate named."


@dataclass(frozen=True, slots=True)
class Manner:
    """How to read: the instant, our own OIN, the keys of which one must have signed, and the services known so far."""

    now: datetime
    broker: str
    pinned: Sequence[VerificationKey] = ()
    known: Sequence[Service] = ()


def read_xml(octets: bytes, manner: Manner) -> Draft:
    """The services of a catalogue; with pinned keys only what one of them signed is looked at (SEC-9, SEC-18).

    What the scheme has no place for (name of our own, chains, lower requests, date) comes from our classifiers, else
    from the instance known by that UUID, and the date from its definition. Raises ``BadCatalogue`` with every fault.
    """
    try:
        root = parse(octets, LIMITS)
        namespace, _, name = str(root.tag).removeprefix("{").rpartition("}")
        if name != "ServiceCatalogue" or namespace not in NAMESPACES:
            raise BadCatalogue([f"The document is a {name[:64]} and no ServiceCatalogue of {' or '.join(NAMESPACES)}."])
        catalogue_schema(namespace).validate(root)
        note = _SIGNED if manner.pinned else _UNCHECKED if _has_signature(root) else _UNSIGNED
        if manner.pinned:
            root = parse_canonical(verify(root, str(root.tag), manner.pinned))
    except Refused as refused:
        raise BadCatalogue([f"The document is refused ({refused.fault}): {refused.detail.rstrip('.')}."]) from None
    instances: dict[str, Service] = {one.instance_uuid: one for one in manner.known}
    reader = _Reader(f"{{{namespace}}}", manner, instances, {one.uuid: one for one in manner.known})
    listed = reader.providers(root)
    if reader.faults:
        raise BadCatalogue([*dict.fromkeys(reader.faults)])
    services = judge(reader.without_left_out(listed), manner.known)
    # What is said of a definition is found at each of its instances.
    notes = dict.fromkeys(reader.notes)
    if not services:
        raise BadCatalogue(["No service is left that can be offered here.", *notes])
    return Draft(services, (note, *notes))


def _has_signature(root: Element) -> bool:
    """Whether there is one; clients in use leave an empty form where it belongs (domain 5.6)."""
    value = root.findtext(f"{{{DS}}}Signature/{{{DS}}}SignatureValue")
    return bool(value and value.strip())


@dataclass(slots=True)
class _Reader:
    """Reads providers of one namespace, and keeps what is wrong and what is to be told.

    ``instances`` are the known services by their own UUID, ``definitions`` one known service of each definition.
    """

    esc: str
    manner: Manner
    instances: Mapping[str, Service]
    definitions: Mapping[str, Service]
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)

    def providers(self, root: Element) -> list[Listed]:
        """Every provider with its services: each instance with its definition, which another provider may have."""
        nodes = root.findall(f"{self.esc}ServiceProvider")
        own = [self._definitions(node) for node in nodes]
        every = {uuid: definition for some in reversed(own) for uuid, definition in some.items()}
        listed = [self._provider(node, ChainMap(some, every)) for node, some in zip(nodes, own, strict=True)]
        used = {self._text(one, "InstanceOfService").lower() for one in root.iter(f"{self.esc}ServiceInstance")}
        for uuid, one in every.items():
            if uuid not in used:
                self._note(one, f"{uuid} has no instance, so nobody can log in there yet; it is left out")
        return listed

    def _definitions(self, node: Element) -> dict[str, Element]:
        """The definitions of a provider by UUID; several providers may each have one by the same (domain 5.1)."""
        found: dict[str, Element] = {}
        for one in node.iterfind(f"{self.esc}ServiceDefinition"):
            uuid = self._text(one, "ServiceUUID").lower()
            if uuid in found:
                self._fault(one, f"the definition {uuid} stands twice; give it its instances in one place")
            found[uuid] = one
        return found

    def _provider(self, node: Element, definitions: Mapping[str, Element]) -> Listed:
        oin = self._text(node, "ServiceProviderID")
        services = []
        for one in node.iterfind(f"{self.esc}ServiceInstance"):
            definition = definitions.get(self._text(one, "InstanceOfService").lower())
            if definition is None:
                self._fault(one, "InstanceOfService names no definition of this document; put that in too")
            else:
                services += self._service(oin, definition, one)
        name = self._texts(node, "OrganizationDisplayName")
        return Listed(f"{self._place(node)}: provider {oin}", {"oin": oin, "name": name}, services)

    def _service(self, oin: str, definition: Element, instance: Element) -> list[tuple[str, dict[str, Any]]]:
        """The entry of a service as our own file has it, or nothing where it is left out."""
        urn, uuid = self._text(instance, "ServiceID"), self._text(definition, "ServiceUUID").lower()
        where = f"{self._place(definition)}: service {urn}"
        classifiers = self._all(instance, "Classifiers/{0}Classifier")
        types = self._entity_types(definition, instance)
        if EIDAS in classifiers or not types:
            self._note(definition, f"{urn} is for identifiers that are not delivered here (eIDAS, BSN); it is left out")
            self.left_out |= {urn, uuid, self._text(instance, "ServiceUUID").lower()}
            return []
        self._judge(oin, urn, definition, instance)
        level = level_of_uri((definition.findtext(LEVEL) or "").strip())
        entry = {
            "index": ServiceUrn(urn).number if ServiceUrn.pattern.fullmatch(urn) else 0,
            "uuid": uuid,
            "instance_uuid": self._text(instance, "ServiceUUID").lower(),
            "name": self._texts(definition, "ServiceName"),
            "description": self._texts(definition, "ServiceDescription"),
            "level": "" if level is None else level.name,
            "branches": bool(self._all(definition, "ServiceRestrictionsAllowed")),
            "public": all(node.get(f"{self.esc}IsPublic") in ("true", "1") for node in (definition, instance)),
            "entity_types": types,
            "attributes": self._attributes(definition),
            "url": self._url(instance),
            "portal_for": self._portal_for(definition, instance),
        }
        return [(where, entry | self._ours(instance, entry, classifiers, f"{oin}-{entry['index']}"))]

    def _portal_for(self, definition: Element, instance: Element) -> list[str]:
        """What a portal names, in its order; one that names nothing leads nowhere."""
        named = [plain_name(one) for one in self._all(instance, "PortalForService")]
        stated = any(node.get(f"{self.esc}IsPortal") in ("true", "1") for node in (definition, instance))
        if stated and not named:
            self._fault(instance, "IsPortal is true, but no PortalForService tells which services it leads to")
        return named

    def without_left_out(self, listed: Sequence[Listed]) -> Sequence[Listed]:
        """The providers with portals for what is offered here alone; what is left nothing is left out itself."""
        # A definition is left out with the last of its instances.
        self.left_out -= {entry["uuid"] for one in listed for _, entry in one.services}
        return [replace(one, services=[*self._leading(one.services)]) for one in listed] if self.left_out else listed

    def _leading(self, entries: Sequence[tuple[str, dict[str, Any]]]) -> Iterator[tuple[str, dict[str, Any]]]:
        for where, entry in entries:
            named = entry["portal_for"]
            left = [one for one in named if one not in self.left_out]
            if len(left) < len(named):
                self.notes.append(f"{where}: what is left out here is no service of this portal either.")
            if left or not named:
                yield where, entry | {"portal_for": left}

    def _judge(self, oin: str, urn: str, definition: Element, instance: Element) -> None:
        """The rules about what is not kept (domain 5.6)."""
        if not ServiceUrn.pattern.fullmatch(urn) or f":{oin}:" not in urn:
            self._fault(instance, f"ServiceID {urn} is not urn:etoegang:DV:{oin}:services: with an index from 1")
        for one in self._all(definition, "ServiceRestrictionsAllowed"):
            if one != BRANCH_RESTRICTION:
                self._fault(definition, f"the restriction {one} is unknown; only {BRANCH_RESTRICTION} exists")
        for certificate in instance.iter(f"{{{DS}}}X509Certificate"):
            self._certificate(certificate)
        broker = self._text(instance, "HerkenningsmakelaarId")
        if broker != self.manner.broker:
            self._note(instance, f"{urn} names the broker {broker}, and we are {self.manner.broker}")

    def _certificate(self, node: Element) -> None:
        try:
            certificate, key = read_certificate(node)
        except Refused as refused:
            return self._fault(node, refused.detail)
        if certificate.not_valid_after_utc < self.manner.now:
            self._fault(node, f"the certificate ended on {certificate.not_valid_after_utc:%Y-%m-%d}; send the next one")
        if isinstance(key, RSAPublicKey) and key.key_size < _SMALLEST_KEY:
            self._fault(node, f"the certificate's key has {key.key_size} bits; {_SMALLEST_KEY} are needed")
        return None

    def _entity_types(self, definition: Element, instance: Element) -> list[list[str]]:
        """The sets in order of preference that we can deliver, those of the instance before all (EC-1 to EC-5)."""
        own = instance.findall(f"{self.esc}EntityConcernedTypesAllowed")
        # A number of any length is a number to the schema.
        sets: dict[tuple[bool, Decimal], list[str]] = {}
        for place, node in enumerate(own or definition.iterfind(f"{self.esc}EntityConcernedTypesAllowed")):
            number = node.get("setNumber")
            key = number is None, Decimal(place if number is None else number.strip())
            sets.setdefault(key, []).append(_plain(node))
        ordered = [sets[key] for key in sorted(sets)]
        kept = [[_TYPES[one] for one in together] for together in ordered if _TYPES.keys() >= set(together)]
        if kept and len(kept) < len(ordered):
            self._note(definition, "sets of entity types with identifiers that are not delivered here are left out")
        return kept

    def _attributes(self, definition: Element) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for node in definition.iterfind(f"{self.esc}RequestedAttribute"):
            name = node.get("Name", "").strip()
            if name not in PERSONAL_ATTRIBUTES and _GIVEN_ELSEWHERE.fullmatch(name):
                self._note(node, f"the attribute {name} is none of a person that is asked here; it is left out")
                continue
            required = node.get("isRequired", "false") in ("true", "1")
            found.append({"name": name, "required": required, "purpose": self._texts(node, "PurposeStatement")})
        return found

    def _ours(self, instance: Element, entry: Mapping[str, Any], classifiers: list[str], slug: str) -> dict[str, Any]:
        """What the scheme has no place for."""
        known = self.instances.get(entry["instance_uuid"])
        single = self._text(instance, "SSOSupport") or str(known is not None and known.sso).lower()
        facts: dict[str, Any] = {"slug": slug, "sso": single in ("true", "1"), "chains": False, "allow_lower": False}
        try:
            stated = read_classifiers(classifiers)
        except ValueError as fault:
            self._fault(instance, str(fault))
            return facts
        if not stated and known is not None:
            facts |= {"slug": known.slug, "chains": known.chains, "allow_lower": known.allow_lower}
        if not stated and (definition := self.definitions.get(entry["uuid"])) is not None and definition.enforced_from:
            facts["enforced_from"] = definition.enforced_from
        return facts | stated

    def _url(self, instance: Element) -> str:
        found = {node.get(_LANG, "")[:2]: _plain(node) for node in instance.iterfind(f"{self.esc}ServiceURL")}
        return found.get("nl", next(iter(found.values()), ""))

    def _texts(self, node: Element, name: str) -> dict[str, str]:
        """Texts by language; where Dutch or English is missing the other stands in."""
        texts: dict[str, str] = {}
        for one in node.iterfind(self.esc + name):
            language = one.get(_LANG, "").partition("-")[0].lower()
            if language in texts:
                self._fault(one, f"{name} stands twice for the language {language!r}")
            texts[language] = _plain(one)
        spare = next((texts[one] for one in (*LANGUAGES, *texts) if one in texts), "")
        missing = [one for one in LANGUAGES if one not in texts]
        if missing:
            self._note(node, f"{name} has no text in {' and '.join(missing)}; another language stands in")
        return texts | dict.fromkeys(missing, spare)

    def _text(self, node: Element, name: str) -> str:
        found = node.find(self.esc + name)
        return "" if found is None else _plain(found)

    def _all(self, node: Element, path: str) -> list[str]:
        return [_plain(one) for one in node.iterfind(self.esc + path.format(self.esc))]

    def _fault(self, node: Element, sentence: str) -> None:
        self.faults.append(f"{self._place(node)}: {sentence}.")

    def _note(self, node: Element, sentence: str) -> None:
        self.notes.append(f"{self._place(node)}: {sentence}.")

    def _place(self, node: Element) -> str:
        # What was signed is read from its canonical form, which lacks the declaration and the signature.
        return f"line {node.sourceline}{' of the signed part' if self.manner.pinned else ''}"


def _plain(node: Element) -> str:
    """The text on one line: what a writer broke for its own layout is joined."""
    return _BREAK.sub(" ", "".join(node.itertext())).strip(" ")
