"""Every claim we can make: one table that serves, is asked from, and is published (domain 11.2, 11.3)."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from idp.domain.assertion import Assertion, LegalSubject, Served
from idp.domain.login import LoginRequest
from idp.domain.parties import Party, Service
from idp.protocols.oidc.claims.identifiers import PSEUDONYM, identifiers_of
from idp.protocols.oidc.client.client import Vocabulary
from idp.protocols.oidc.memory import Memory, memory_of


class Scope(StrEnum):
    """Scopes beside those that name a service."""

    OPENID = "openid"
    EHERKENNING = "eherkenning"
    KVK = "kvk"
    PROFILE = "profile"
    EMAIL = "email"
    OFFLINE = "offline_access"


class Place(StrEnum):
    """Where claims are told."""

    ID_TOKEN = "id_token"
    USERINFO = "userinfo"


@dataclass(frozen=True, slots=True)
class Facts:
    """What claims are made of."""

    issuer: str
    client_id: str
    service: Service
    assertion: Assertion
    memory: Memory

    def within(self, scope: str) -> "Facts":
        """The same facts for a token whose scope was narrowed; an empty scope narrows nothing."""
        return replace(self, memory=replace(self.memory, scope=scope)) if scope else self


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim: the scope that brings it along, and what it says (nothing: it is left out).

    ``attributes`` are the personal attributes it tells, by URN: those stay out of the ID token unless asked for there.
    """

    scope: Scope
    tell: Callable[[Facts], Any]
    attributes: tuple[str, ...] = ()


def facts_of(issuer: str, party: Party, asked: LoginRequest, assertion: Assertion) -> Facts | None:
    """The facts of a login, or None when the party no longer has its service."""
    service = next((one for _, one in party.services if one.instance_uuid == asked.service), None)
    return None if service is None else Facts(issuer, party.identity, service, assertion, memory_of(asked.reply))


def claims_at(place: Place, facts: Facts) -> dict[str, Any]:
    """The claims about the login for one place: what the scope brings and what was asked by name (11.1, 11.3)."""
    # A client may have registered the flat claim set, which the scope of that name asks for too (11.2).
    scopes = frozenset((facts.memory.scope + " " + facts.memory.claim_set).split())
    asked = frozenset(json.loads(facts.memory.claims).get(place, ()) if facts.memory.claims else ())
    told: dict[str, Any] = {"sub": facts.assertion.subject}
    for name, claim in CLAIMS.items():
        by_scope = claim.scope in scopes and not (claim.attributes and place is Place.ID_TOKEN)
        if by_scope or name in asked:
            value = claim.tell(facts)
            if value:
                told[name] = value
    return told


def attributes_for(scopes: Iterable[str], names: Iterable[str]) -> frozenset[str]:
    """The personal attributes that scopes and claim names ask for; the flat claim set alone asks none."""
    by_scope = set(scopes) & {Scope.PROFILE, Scope.EMAIL}
    by_name = set(names)
    return frozenset(
        attribute
        for name, claim in CLAIMS.items()
        if claim.scope in by_scope or name in by_name
        for attribute in claim.attributes
    )


def _acr(facts: Facts) -> str:
    level = facts.assertion.level
    eidas = level.eidas if facts.memory.vocabulary == Vocabulary.EIDAS else None
    return eidas or level.urn


def _represents(facts: Facts) -> dict[str, Any]:
    """The organisation acted for; in a chain it stands inside its intermediary, the own company outermost (11.1)."""
    assertion = facts.assertion
    told = _party(facts, assertion.principal)
    if assertion.branches:
        told["branch_numbers"] = list(assertion.branches)
    for one in assertion.intermediaries:
        told = {**_party(facts, one), "represents": told}
    return told


def _party(facts: Facts, subject: LegalSubject) -> dict[str, Any]:
    told: dict[str, Any] = {"iss": facts.issuer}
    found = identifiers_of(subject, facts.service)
    if found:
        told |= {"sub": found[0].value, "sub_id_type": found[0].type}
    others = [{"iss": facts.issuer, "sub": one.value, "sub_id_type": one.type} for one in found[1:]]
    return {**told, **({"alt_sub": others} if others else {}), "name": subject.name}


def _legal(facts: Facts) -> str:
    found = identifiers_of(facts.assertion.principal, facts.service)
    return found[0].value if found else ""


def _qualifier(facts: Facts) -> str:
    found = identifiers_of(facts.assertion.principal, facts.service)
    return found[0].type if found else ""


def _branch(facts: Facts) -> str | list[str]:
    """One branch as a text, as Open Forms reads it; several as a list."""
    branches = facts.assertion.branches
    return str(branches[0]) if len(branches) == 1 else list(branches)


def _own_company(facts: Facts) -> str:
    """The flat claims name one intermediary, as version 1 of the schema promises: the one the person works for."""
    return "".join(one.kvk for one in facts.assertion.intermediaries[-1:])


def _own_company_name(facts: Facts) -> str:
    return "".join(one.name for one in facts.assertion.intermediaries[-1:])


def _service(facts: Facts) -> Served:
    """One service, as version 1 of the schema promises: at a portal the first of those that the mandate is for."""
    services = facts.assertion.services
    return services[0] if services else Served(facts.service.urn, facts.service.uuid)


def _services(facts: Facts) -> list[dict[str, str]]:
    """Every service behind a portal that the person may use; nothing at a service of its own (domain 7.6)."""
    return [{"service_id": one.urn, "service_uuid": one.uuid} for one in facts.assertion.services]


def _family_name(facts: Facts) -> str:
    """With the infix where there is one, as the name is written (De Vries, van den Berg)."""
    attributes = facts.assertion.attributes
    return " ".join(filter(None, (attributes.get(_PERSON + "FamilyNameInfix"), attributes.get(_PERSON + "FamilyName"))))


def _personal(scope: Scope, attribute: str) -> Claim:
    return Claim(scope, lambda facts: facts.assertion.attributes.get(attribute), (attribute,))


_PERSON: Final = "urn:etoegang:1.9:attribute:"
_FLAT: Final = Scope.EHERKENNING
CLAIMS: Final[Mapping[str, Claim]] = {
    "sub_id_type": Claim(Scope.OPENID, lambda _facts: PSEUDONYM),
    "acr": Claim(Scope.OPENID, _acr),
    "represents": Claim(Scope.OPENID, _represents),
    "urn:etoegang:core:LegalSubjectID": Claim(_FLAT, _legal),
    "namequalifier": Claim(_FLAT, _qualifier),
    "urn:etoegang:core:ActingSubjectID": Claim(_FLAT, lambda facts: facts.assertion.subject),
    "urn:etoegang:1.9:ServiceRestriction:Vestigingsnr": Claim(_FLAT, _branch),
    "urn:etoegang:core:IntermediateSubjectID": Claim(_FLAT, _own_company),
    "urn:etoegang:1.9:IntermediateEntityID:KvKnr": Claim(_FLAT, _own_company),
    "urn:etoegang:1.13:attribute-intermediate:CompanyName": Claim(_FLAT, _own_company_name),
    "urn:etoegang:1.11:attribute-represented:CompanyName": Claim(_FLAT, lambda facts: facts.assertion.principal.name),
    "organisation_name": Claim(_FLAT, lambda facts: facts.assertion.principal.name),
    "urn:etoegang:core:ServiceID": Claim(_FLAT, lambda facts: _service(facts).urn),
    "urn:etoegang:core:ServiceUUID": Claim(_FLAT, lambda facts: _service(facts).uuid),
    "services": Claim(_FLAT, _services),
    "loa": Claim(_FLAT, lambda facts: facts.assertion.level.urn),
    "idp_id": Claim(_FLAT, lambda facts: facts.issuer),
    "kvk": Claim(Scope.KVK, lambda facts: facts.assertion.principal.kvk),
    "given_name": _personal(Scope.PROFILE, _PERSON + "FirstName"),
    "family_name": Claim(Scope.PROFILE, _family_name, (_PERSON + "FamilyNameInfix", _PERSON + "FamilyName")),
    "birthdate": _personal(Scope.PROFILE, _PERSON + "DateOfBirth"),
    "email": _personal(Scope.EMAIL, _PERSON + "Email"),
    **{
        _PERSON + name: _personal(_FLAT, _PERSON + name)
        for name in ("Initials", "FirstName", "FamilyNameInfix", "FamilyName", "DateOfBirth", "Email")
    },
}
# Claims of the token itself, which nobody has to ask for.
TOKEN_CLAIMS: Final = ("iss", "sub", "aud", "exp", "iat", "nbf", "jti", "auth_time", "nonce", "sid", "at_hash")
