"""From a verified request to what it asks, in the words of no protocol (domain 3.2.2, steps 5 to 11)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from idp.domain.assurance import LEVEL_URNS, Level, level_of_uri
from idp.domain.demand import Comparison, Demand, LevelPolicy, demand
from idp.domain.login import LoginRequest, RequestedAttribute
from idp.domain.parties import Service
from idp.protocols.saml.dialects import Names
from idp.protocols.saml.metadata.sp_metadata import Consumer
from idp.protocols.saml.names import Binding, Fact, NameId, is_identifying
from idp.protocols.saml.reply import Reply
from idp.protocols.saml.request.authn_request import LevelsAsked
from idp.protocols.saml.request.read import Verified
from idp.protocols.saml.status import Problem, RequestFault
from idp.settings import Settings

_LEVEL_OF_URN: Final = {urn: level for level, urn in LEVEL_URNS.items()}
# Classes of SAML core that any login here satisfies; they ask for no level, so the catalogue's stands (lenient only).
_ORDINARY: Final = frozenset(
    f"urn:oasis:names:tc:SAML:2.0:ac:classes:{name}"
    for name in ("unspecified", "Password", "PasswordProtectedTransport")
)
_ANY_OF: Final = (Comparison.MINIMUM, Comparison.EXACT)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a request came in: the address, who we are there, the settings and the instant.

    ``key`` is the short name of a key of ours in the address or in Destination, empty when none that we know is.
    """

    location: str
    names: Names
    settings: Settings
    now: datetime
    key: str = ""


def understand(verified: Verified, consumer: Consumer, reply_to: Consumer, endpoint: Endpoint) -> LoginRequest:
    """The login that is asked; raises ``RequestFault`` for what its sender is to hear of."""
    _hold_to_address(verified, endpoint)
    if consumer is not reply_to:
        raise RequestFault(
            Problem.BINDING, field="ProtocolBinding", expected=reply_to.binding, received=consumer.binding
        )
    _hold_to_scheme(verified)
    name_id = _name_id(verified)
    _hold_to_scope(verified, endpoint.names)
    index, service = _service(verified)
    needed = _demand(verified, service, endpoint.settings)
    attributes, company_name = _attributes(verified, index, service)
    request, settings = verified.request, verified.party.settings
    ceiling = needed.ceiling
    if ceiling is None and settings.answer_level == "requested":
        ceiling = needed.level
    reply = Reply(
        request=request.id,
        location=reply_to.location,
        profile=settings.profile,
        binding=Binding(reply_to.binding),
        name_id=name_id,
        relay_state=verified.relay_state,
        eidas=request.levels is not None and _asks_eidas(request.levels),
        company_name=company_name,
        key=endpoint.key,
    )
    return LoginRequest(
        protocol="saml",
        party=verified.party.id,
        service=service.instance_uuid,
        level=needed.level,
        ceiling=ceiling,
        force=request.force,
        passive=request.passive,
        attributes=attributes,
        reply=reply.remember(),
    )


def _hold_to_address(verified: Verified, endpoint: Endpoint) -> None:
    """Step 5: the endpoint, the version and the clock (SEC-14, RUL-26)."""
    request, skew = verified.request, timedelta(seconds=endpoint.settings.saml.skew_seconds)
    expected = endpoint.settings.server.base_url + verified.dialect.sso_path
    # With the name of a key or without it is the same endpoint; a client may take one here and the other there.
    ours = (expected, endpoint.settings.server.base_url + verified.dialect.sso_path_for(endpoint.key))
    received = endpoint.location if request.destination is None and not verified.strict else request.destination
    if received not in ours or endpoint.location not in ours:
        seen = endpoint.location if received == expected else received or "none"
        raise RequestFault(Problem.DESTINATION, field="Destination", expected=expected, received=seen)
    if request.version != "2.0":
        raise RequestFault(Problem.VERSION, field="Version", expected="2.0", received=request.version[:32])
    if abs(endpoint.now - request.issued_at) > skew:
        raise RequestFault(
            Problem.EXPIRED,
            field="IssueInstant",
            expected=f"{endpoint.now:%Y-%m-%dT%H:%M:%SZ} within {skew.seconds} seconds",
            received=f"{request.issued_at:%Y-%m-%dT%H:%M:%SZ}",
        )
    if verified.strict and not request.zoned:
        raise RequestFault(Problem.UNSUPPORTED, field="IssueInstant", expected="UTC with Z")


def _hold_to_scheme(verified: Verified) -> None:
    """Step 8, and what the scheme forbids beyond SAML (domain 3.2)."""
    request, scheme = verified.request, verified.dialect.scheme
    if request.passive and scheme:
        raise RequestFault(Problem.PASSIVE, field="IsPassive", expected="false", received="true")
    forbidden = {
        "Subject": request.subject,
        "Conditions": verified.by_the_book and request.conditions,
        "attributes of Issuer": verified.by_the_book and request.qualified_issuer,
        "AssertionConsumerServiceURL": verified.by_the_book and request.consumer_url is not None,
        "ProtocolBinding": verified.by_the_book and request.binding is not None,
    }
    for field, present in forbidden.items():
        if present:
            raise RequestFault(Problem.UNSUPPORTED, field=field, expected="absent")
    if verified.by_the_book and request.consumer_index is None:
        raise RequestFault(Problem.UNSUPPORTED, field="AssertionConsumerServiceIndex", expected="present")


def _name_id(verified: Verified) -> NameId:
    policy, dialect = verified.request.name_id, verified.dialect
    allowed = dict(dialect.name_ids) | ({} if verified.strict else dict(dialect.lenient_name_ids))
    if policy is None or not policy.format:
        asked: NameId | None = None
    else:
        asked = next((one for one in NameId if one == policy.format), None)
        if asked not in allowed or asked is None:
            expected = ", ".join(one for one in allowed if one is not None)
            raise RequestFault(Problem.NAME_ID, field="Format", expected=expected, received=policy.format[:200])
    if policy is not None and policy.qualifier not in ("", verified.party.identity):
        raise RequestFault(
            Problem.NAME_ID, field="SPNameQualifier", expected=verified.party.identity, received=policy.qualifier[:200]
        )
    return allowed[asked]


def _hold_to_scope(verified: Verified, names: Names) -> None:
    providers = verified.request.providers
    if providers is not None and names.authenticator not in providers:
        raise RequestFault(
            Problem.SCOPING, field="IDPList", expected=names.authenticator, received=", ".join(providers)[:300]
        )


def _service(verified: Verified) -> tuple[int, Service]:
    """Step 9: the index names the service; without one it is the default."""
    party, index = verified.party, verified.request.service_index
    if index is None:
        return party.services[0]
    service = party.service(index)
    if service is None:
        known = ", ".join(f"{place} ({one.slug})" for place, one in party.services)
        raise RequestFault(
            Problem.SERVICE, field="AttributeConsumingServiceIndex", expected=known[:300], received=str(index)
        )
    return index, service


def _demand(verified: Verified, service: Service, settings: Settings) -> Demand:
    """Step 10: the level to reach (LOA-2 to LOA-6, RUL-13, RUL-23)."""
    party = verified.party
    policy = LevelPolicy(service.level, party.settings.reading, party.lowers(service))
    comparison, asked = _levels(verified)
    needed = demand(policy, asked, comparison)
    if isinstance(needed, Demand) and needed.level <= settings.highest:
        return needed
    raise RequestFault(
        Problem.LEVEL,
        field=f"RequestedAuthnContext ({comparison})",
        expected=f"a level that fits {service.level.urn} of the service catalogue",
        received=", ".join(level.urn for level in asked),
    )


def _asks_eidas(asked: LevelsAsked) -> bool:
    """Whether a level was asked in that vocabulary alone; a class of SAML core asks none (RUL-23)."""
    levels = [one for one in asked.classes if level_of_uri(one) is not None]
    return bool(levels) and not any(one in _LEVEL_OF_URN for one in levels)


def _levels(verified: Verified) -> tuple[Comparison, tuple[Level, ...]]:
    asked, scheme = verified.request.levels, verified.dialect.scheme
    if asked is None:
        return Comparison.MINIMUM, ()
    # An absent Comparison means exact in SAML core; the scheme knows minimum alone (LOA-4).
    unsaid = Comparison.MINIMUM if scheme and not verified.strict else Comparison.EXACT
    comparison = Comparison(asked.comparison) if asked.comparison else unsaid
    level_of = _LEVEL_OF_URN.get if scheme else level_of_uri
    known = tuple(level for one in asked.classes if (level := level_of(one)) is not None)
    unknown = [one for one in asked.classes if level_of(one) is None]
    if not known and not scheme and not verified.strict and unknown and _ORDINARY.issuperset(unknown):
        return Comparison.MINIMUM, ()
    fits = comparison is Comparison.MINIMUM if scheme else True
    fits = fits and not (verified.by_the_book and len(asked.classes) != 1)
    some_will_do = bool(known) and (not unknown or (not verified.strict and comparison in _ANY_OF))
    if asked.declarations or not fits or not some_will_do:
        raise RequestFault(
            Problem.LEVEL,
            field=f"RequestedAuthnContext ({asked.comparison or 'no Comparison'})",
            expected=f"{'minimum: ' if scheme else ''}{', '.join(LEVEL_URNS.values())}",
            received=", ".join(asked.classes)[:300],
        )
    return comparison, known


def _attributes(verified: Verified, index: int, service: Service) -> tuple[tuple[RequestedAttribute, ...], bool]:
    """Step 11: personal attributes that are asked and declared, and whether the company's name is asked (RA-1 to RA-4).

    Without the extension, the metadata's AttributeConsumingService says what is asked.
    """
    extension = verified.request.attributes
    registered = verified.metadata.service(index)
    asked = extension if extension is not None else registered.attributes if registered is not None else ()
    declared = {one.name for one in service.attributes}
    for name, required in extension or ():
        unknown = required and name not in declared and name not in (Fact.COMPANY_NAME, Fact.INTERMEDIATE_NAME)
        if (is_identifying(name) and verified.strict) or (unknown and not is_identifying(name)):
            raise RequestFault(
                Problem.ATTRIBUTE,
                field="RequestedAttribute",
                expected="declared in the service catalogue",
                received=name[:200],
            )
    personal = tuple(RequestedAttribute(name, required) for name, required in asked if name in declared)
    return personal, Fact.COMPANY_NAME in declared or any(name == Fact.COMPANY_NAME for name, _ in asked)
