"""An AuthnRequest as values, read from an element that somebody vouches for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from idp.protocols.saml.names import REQUESTED_ATTRIBUTES
from idp.protocols.saml.times import read_instant
from idp.protocols.saml.xmlsec.refusal import Fault, Refused
from idp.protocols.saml.xmlsec.xml import MD, SAML, SAMLP, Element

AUTHN_REQUEST: Final = f"{{{SAMLP}}}AuthnRequest"
ISSUER: Final = f"{{{SAML}}}Issuer"
LONGEST_ID: Final = 256
_NAME_ID_POLICY: Final = f"{{{SAMLP}}}NameIDPolicy"
_LEVELS: Final = f"{{{SAMLP}}}RequestedAuthnContext"
_SCOPING: Final = f"{{{SAMLP}}}Scoping"
_EXTENSIONS: Final = f"{{{SAMLP}}}Extensions"
_LONGEST_NAME: Final = 1024
_MOST_VALUES: Final = 100


@dataclass(frozen=True, slots=True)
class NameIdPolicy:
    """What a request asks of the NameID; empty for what it leaves open."""

    format: str
    qualifier: str


@dataclass(frozen=True, slots=True)
class LevelsAsked:
    """RequestedAuthnContext: ``comparison`` is empty when absent; ``declarations`` tells of AuthnContextDeclRefs."""

    comparison: str
    classes: tuple[str, ...]
    declarations: bool


@dataclass(frozen=True, slots=True)
class AuthnRequest:
    """A request; what it leaves out is None.

    ``qualified_issuer`` tells whether Issuer has attributes, which the scheme forbids; ``providers`` are the entity
    IDs of Scoping; ``attributes`` the names of the extension with whether each is required (domain 3.2.1).
    """

    id: str
    version: str
    issuer: str
    qualified_issuer: bool
    issued_at: datetime
    zoned: bool
    destination: str | None
    force: bool
    passive: bool
    consumer_index: int | None
    consumer_url: str | None
    binding: str | None
    service_index: int | None
    name_id: NameIdPolicy | None
    levels: LevelsAsked | None
    subject: bool
    conditions: bool
    providers: tuple[str, ...] | None
    attributes: tuple[tuple[str, bool], ...] | None


def read_issuer(root: Element) -> str:
    """The entity ID a message claims to come from: believe it after the signature only."""
    return _entity_id(root.find(ISSUER))


def read_authn_request(root: Element) -> AuthnRequest:
    """The request of a schema-valid element; ``Refused`` when a value is beyond its bounds."""
    identifier, instant = root.get("ID", ""), root.get("IssueInstant", "")
    # The schema allows each child once.
    children = {child.tag: child for child in root}
    issuer = children.get(ISSUER)
    if root.tag != AUTHN_REQUEST or issuer is None or not 0 < len(identifier) <= LONGEST_ID:
        raise Refused(Fault.SCHEMA, "not an AuthnRequest with an Issuer and an ID of bounded length")
    return AuthnRequest(
        id=identifier,
        version=root.get("Version", ""),
        issuer=_entity_id(issuer),
        qualified_issuer=bool(len(issuer.attrib)),
        issued_at=read_instant(instant),
        zoned=instant.strip().endswith("Z"),
        destination=root.get("Destination"),
        force=_true(root.get("ForceAuthn")),
        passive=_true(root.get("IsPassive")),
        consumer_index=_number(root.get("AssertionConsumerServiceIndex")),
        consumer_url=root.get("AssertionConsumerServiceURL"),
        binding=root.get("ProtocolBinding"),
        service_index=_number(root.get("AttributeConsumingServiceIndex")),
        name_id=_name_id_policy(children.get(_NAME_ID_POLICY)),
        levels=_levels(children.get(_LEVELS)),
        subject=f"{{{SAML}}}Subject" in children,
        conditions=f"{{{SAML}}}Conditions" in children,
        providers=_providers(children.get(_SCOPING)),
        attributes=_attributes(children.get(_EXTENSIONS)),
    )


def _entity_id(issuer: Element | None) -> str:
    text = (issuer.text or "").strip() if issuer is not None else ""
    if not text or len(text) > _LONGEST_NAME:
        raise Refused(Fault.SCHEMA, "no Issuer, or one that is too long")
    return text


def _name_id_policy(node: Element | None) -> NameIdPolicy | None:
    return None if node is None else NameIdPolicy(node.get("Format", ""), node.get("SPNameQualifier", ""))


def _levels(node: Element | None) -> LevelsAsked | None:
    if node is None:
        return None
    classes = _bounded([(one.text or "").strip() for one in node.findall(f"{{{SAML}}}AuthnContextClassRef")])
    return LevelsAsked(node.get("Comparison", ""), classes, len(classes) < len(node))


def _providers(scoping: Element | None) -> tuple[str, ...] | None:
    entries = None if scoping is None else scoping.find(f"{{{SAMLP}}}IDPList")
    if entries is None:
        return None
    return _bounded([one.get("ProviderID", "") for one in entries.findall(f"{{{SAMLP}}}IDPEntry")])


def _attributes(extensions: Element | None) -> tuple[tuple[str, bool], ...] | None:
    node = None if extensions is None else extensions.find(REQUESTED_ATTRIBUTES)
    if node is None:
        return None
    found = {one.get("Name", ""): _true(one.get("isRequired")) for one in node.findall(f"{{{MD}}}RequestedAttribute")}
    return tuple((name, found[name]) for name in _bounded(list(found)))


def _bounded(values: list[str]) -> tuple[str, ...]:
    if len(values) > _MOST_VALUES or any(len(one) > _LONGEST_NAME for one in values):
        raise Refused(Fault.TOO_LARGE, f"more than {_MOST_VALUES} values, or one that is too long")
    return tuple(values)


def _number(text: str | None) -> int | None:
    """An xs:unsignedShort; any number of zeros may stand before it, and Python reads no number of any length."""
    return None if text is None else int(text.strip().lstrip("+-0") or "0")


def _true(text: str | None) -> bool:
    return text is not None and text.strip() in ("true", "1")
