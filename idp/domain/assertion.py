"""What we say about a login to a relying party, in the words of no protocol."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from idp.domain.assurance import Factor, Level
from idp.domain.identifiers import BranchNumber, KvkNumber, Rsin, ServiceUrn, ServiceUuid
from idp.domain.reasons import Reason


@dataclass(frozen=True, slots=True)
class LegalSubject:
    """An organisation as a relying party hears of it."""

    kvk: KvkNumber
    rsin: Rsin | None
    name: str


@dataclass(frozen=True, slots=True)
class Served:
    """A service that an answer is about, by its ServiceID and the UUID for which mandates are registered."""

    urn: ServiceUrn
    uuid: ServiceUuid


@dataclass(frozen=True, slots=True)
class Basis:
    """On what an assertion rests, so that it can be judged again later (SEC-36); never told to anyone.

    ``way`` is the key of the way to act that was used; ``consented`` names the attributes agreed to, also those for
    which there was nothing to tell.
    """

    account: str
    way: str
    factors: frozenset[Factor]
    consented: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Assertion:
    """One granted login (domain 3.3, 3.4, 11.3); both protocols render this record (RUL-10, PS-9).

    ``subject`` is the specific pseudonym (``64hex@32hex``); ``level`` the level stated; ``branches`` the restriction,
    empty for none, and ``subdossiers`` their old numbers where the register gives them (SR-6); ``intermediaries`` the
    companies of a chain from the one that the represented organisation chose to the person's own, which comes last;
    ``attributes`` what was consented to, by URN; ``session`` names the kept session, if any; ``services`` those
    behind a portal that the person may use, empty at a service of its own.
    """

    subject: str
    level: Level
    principal: LegalSubject
    branches: tuple[BranchNumber, ...]
    intermediaries: tuple[LegalSubject, ...]
    authenticated_at: datetime
    attributes: dict[str, str]
    session: str | None
    basis: Basis
    subdossiers: tuple[str, ...] = ()
    services: tuple[Served, ...] = ()


@dataclass(frozen=True, slots=True)
class Denied:
    """A login that ended without an assertion: refused for these reasons, or cancelled (``CANCELLED`` alone)."""

    reasons: tuple[Reason, ...]
    reference: str


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A passive request that would have needed the person (OIDC ``prompt=none``, SAML ``IsPassive``)."""

    step: str
    reference: str


class Lacking(StrEnum):
    """What a service has to hear of a login, and there is none of."""

    ENTITY_TYPE = "ENTITY_TYPE"
    ATTRIBUTE = "ATTRIBUTE"


@dataclass(frozen=True, slots=True)
class Undeliverable:
    """A login that was allowed, but of which the service cannot be told what it must hear (EC-4, RA-3)."""

    lacking: Lacking
    reference: str


Outcome = Assertion | Denied | Interrupted | Undeliverable
