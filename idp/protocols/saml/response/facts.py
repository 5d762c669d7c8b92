"""What an assertion tells in each profile, before it is written down (domain 3.4, RUL-23)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from idp.domain.assertion import Assertion, LegalSubject
from idp.domain.naming import names_of
from idp.domain.parties import Profile, Service
from idp.protocols.saml.names import Fact, Identifying


@dataclass(frozen=True, slots=True)
class Identifier:
    """Somebody: the type of the number, and the number."""

    qualifier: str
    value: str


@dataclass(frozen=True, slots=True)
class Told:
    """One attribute: plain values, or identifiers to be encrypted one by one, or values of which all is secret."""

    name: str
    values: tuple[str, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Telling:
    """All that an assertion draws on: ``legal`` are the identifiers by which the organisation is named."""

    granted: Assertion
    service: Service
    legal: tuple[Identifier, ...]
    company_name: bool

    @property
    def service_ids(self) -> tuple[str, ...]:
        """The ServiceID, at a portal those of the services that the person may use (domain 3.4)."""
        return tuple(one.urn for one in self.granted.services) or (self.service.urn,)

    @property
    def service_uuids(self) -> tuple[str, ...]:
        """The UUIDs of the same services, in the same order."""
        return tuple(one.uuid for one in self.granted.services) or (self.service.uuid,)


def legal_identifiers(service: Service, principal: LegalSubject) -> tuple[Identifier, ...]:
    """The identifiers of the first set that can be delivered whole (EC-1, EC-2); empty when none can (EC-4)."""
    return tuple(Identifier(one, value) for one, value in names_of(service, principal).items())


def told(profile: Profile, telling: Telling) -> Iterator[Told]:
    """The attributes of an assertion in a profile, in their order."""
    yield Told(Fact.SERVICE_ID, telling.service_ids)
    yield Told(Fact.SERVICE_UUID, telling.service_uuids)
    yield from _PROFILES[profile](telling)
    if telling.granted.branches:
        yield Told(Fact.BRANCH, tuple(telling.granted.branches))
    if telling.granted.branches and telling.granted.subdossiers:
        # As long as the register gives it (SR-6).
        yield Told(Fact.SUBDOSSIER, telling.granted.subdossiers)
    if telling.company_name or profile is Profile.GENERIC:
        yield Told(Fact.COMPANY_NAME, (telling.granted.principal.name,))
    for name, value in telling.granted.attributes.items():
        # Personal attributes travel encrypted where the profile has keys for it (ENC-8).
        yield Told(name, (value,), secret=profile is Profile.EHERKENNING_113)


def _generic(telling: Telling) -> Iterator[Told]:
    """Plain attributes under the scheme's names; LegalSubjectID is the KvK number where that may be told."""
    numbers = {one.qualifier: one.value for one in telling.legal}
    yield Told(Fact.LEGAL_SUBJECT, (numbers.get(Identifying.KVK, telling.legal[0].value),))
    yield Told(Fact.ACTING_SUBJECT, (telling.granted.subject,))
    yield from _plain_numbers(telling)
    yield from _intermediaries(telling)


def _encrypted(telling: Telling) -> Iterator[Told]:
    yield Told(Fact.LEGAL_SUBJECT, identifiers=telling.legal)
    yield Told(Fact.ACTING_SUBJECT, identifiers=(Identifier(Identifying.PSEUDONYM, telling.granted.subject),))
    if telling.granted.intermediaries:
        chain = tuple(Identifier(Identifying.KVK, str(one.kvk)) for one in telling.granted.intermediaries)
        yield Told(Fact.INTERMEDIATE_SUBJECT, identifiers=chain)
    yield from _intermediaries(telling)


def _old(telling: Telling) -> Iterator[Told]:
    yield from _plain_numbers(telling)
    yield from _intermediaries(telling)


def _plain_numbers(telling: Telling) -> Iterator[Told]:
    for one in telling.legal:
        yield Told(one.qualifier, (one.value,))


def _intermediaries(telling: Telling) -> Iterator[Told]:
    """Numbers and names in the order of the chain, the person's own company last (K-6)."""
    chain = telling.granted.intermediaries
    if chain:
        yield Told(Fact.INTERMEDIATE_KVK, tuple(str(one.kvk) for one in chain))
        yield Told(Fact.INTERMEDIATE_NAME, tuple(one.name for one in chain))


_PROFILES: Final[Mapping[Profile, Callable[[Telling], Iterator[Told]]]] = {
    Profile.GENERIC: _generic,
    Profile.EHERKENNING_113: _encrypted,
    Profile.EHERKENNING_111: _old,
}
