"""A means (middel): its states, what moves it between them, and where it is registered."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from idp.domain.assurance import Factor, Level
from idp.domain.identifiers import BranchNumber, KvkNumber
from idp.domain.lifecycle import Lifecycle
from idp.domain.mandates import WHOLE_ORGANISATION, Branches, Link, Mandate
from idp.domain.reasons import Reason


class MeansStatus(StrEnum):
    """Where a means is in its life (architecture 5)."""

    ORDERED = "ordered"
    AWAITING_ACTIVATION = "awaiting_activation"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"


class MeansEvent(StrEnum):
    """What happens to a means."""

    LETTER_SENT = "letter_sent"
    NEW_LETTER = "new_letter"
    ACTIVATED = "activated"
    PAUSED = "paused"
    RESUMED = "resumed"
    TERM_ENDED = "term_ended"
    REVOKED = "revoked"
    REPLACED = "replaced"
    WITHDRAWN = "withdrawn"


_S, _E = MeansStatus, MeansEvent
MEANS_LIFECYCLE: Lifecycle[MeansStatus, MeansEvent] = Lifecycle(
    start=_S.ORDERED,
    transitions={
        (_S.ORDERED, _E.LETTER_SENT): _S.AWAITING_ACTIVATION,
        (_S.ORDERED, _E.WITHDRAWN): _S.REVOKED,
        (_S.AWAITING_ACTIVATION, _E.NEW_LETTER): _S.AWAITING_ACTIVATION,
        (_S.AWAITING_ACTIVATION, _E.ACTIVATED): _S.ACTIVE,
        (_S.AWAITING_ACTIVATION, _E.WITHDRAWN): _S.REVOKED,
        (_S.ACTIVE, _E.PAUSED): _S.SUSPENDED,
        (_S.SUSPENDED, _E.RESUMED): _S.ACTIVE,
        (_S.ACTIVE, _E.TERM_ENDED): _S.EXPIRED,
        (_S.SUSPENDED, _E.TERM_ENDED): _S.EXPIRED,
        (_S.ACTIVE, _E.REVOKED): _S.REVOKED,
        (_S.SUSPENDED, _E.REVOKED): _S.REVOKED,
        (_S.ACTIVE, _E.REPLACED): _S.SUPERSEDED,
        (_S.SUSPENDED, _E.REPLACED): _S.SUPERSEDED,
    },
)

# What a state has against a login; ACTIVE is absent because it has nothing against it.
REASON_OF_STATUS = {
    _S.ORDERED: Reason.MEANS_NOT_ACTIVATED,
    _S.AWAITING_ACTIVATION: Reason.MEANS_NOT_ACTIVATED,
    _S.SUSPENDED: Reason.ACCESS_PAUSED,
    _S.EXPIRED: Reason.MEANS_EXPIRED,
    _S.REVOKED: Reason.MEANS_REVOKED,
    _S.SUPERSEDED: Reason.MEANS_REVOKED,
}
PENDING = frozenset({_S.ORDERED, _S.AWAITING_ACTIVATION})
ENDED = frozenset({_S.EXPIRED, _S.REVOKED, _S.SUPERSEDED})


@dataclass(frozen=True, slots=True)
class Registration:
    """Where a means is registered: an organisation, or one branch of it (RUL-7)."""

    kvk: KvkNumber
    branch: BranchNumber | None = None

    @property
    def branches(self) -> Branches:
        """The registration as a restriction; empty for the whole organisation."""
        return WHOLE_ORGANISATION if self.branch is None else frozenset({self.branch})


@dataclass(frozen=True, slots=True)
class Held:
    """One way to act: a means with its mandates, for its own organisation or through a chain for a client.

    ``chain`` runs from the client to the means' own organisation and is empty for the own organisation;
    ``factors`` are the second factors the account has; ``open_branches`` counts the organisation's branches.
    """

    means: str
    level: Level
    status: MeansStatus
    registration: Registration
    valid_until: date
    mandates: tuple[Mandate, ...] = ()
    chain: tuple[Link, ...] = ()
    factors: frozenset[Factor] = frozenset()
    organisation_active: bool = True
    open_branches: int = 0
    upgrade_gap_until: date | None = None

    @property
    def key(self) -> str:
        """Names this way to act among the others of its account."""
        return "/".join([self.means, *(link.mandate.id for link in self.chain)])

    @property
    def principal(self) -> KvkNumber:
        """The organisation that is represented."""
        return self.chain[0].principal if self.chain else self.registration.kvk

    @property
    def intermediary(self) -> KvkNumber | None:
        """The organisation in the middle of a chain."""
        return self.registration.kvk if self.chain else None


def status_on(held: Held, today: date) -> MeansStatus:
    """The status on a day: a term that is over counts as over, whether or not the sweep has written it down."""
    over = today > held.valid_until and (held.status, MeansEvent.TERM_ENDED) in MEANS_LIFECYCLE.transitions
    return MeansStatus.EXPIRED if over else held.status


def state_reasons(held: Held, today: date) -> frozenset[Reason]:
    """What the state of the means, its term and its organisation have against a login (RUL-5: D07-D10, D12, D14)."""
    found: set[Reason] = set()
    status = status_on(held, today)
    if held.upgrade_gap_until is not None and today < held.upgrade_gap_until:
        found.add(Reason.UPGRADE_IN_PROGRESS)
    if status in REASON_OF_STATUS:
        found.add(REASON_OF_STATUS[status])
    if not held.organisation_active:
        found.add(Reason.ORGANISATION_ENDED)
    return frozenset(found)


def ended(held: Held, today: date) -> bool:
    """Whether the means is over for good, so that it counts only when nothing else is held (RUL-5)."""
    return status_on(held, today) in ENDED


def considered(held: tuple[Held, ...], today: date) -> tuple[Held, ...]:
    """The ways to act that count: ended ones only among themselves, no successor behind an upgrade gap (RUL-5)."""
    living = tuple(one for one in held if not ended(one, today)) or held
    pending = {one.means for one in living if one.status in PENDING}
    gaps = {
        one.registration
        for one in living
        if one.means not in pending and Reason.UPGRADE_IN_PROGRESS in state_reasons(one, today)
    }
    return tuple(one for one in living if not (one.means in pending and one.registration in gaps))
