"""Why a login is refused and what mends it: one closed table, rendered by pages, audit and wire."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Remedy(StrEnum):
    """Something that makes the next login succeed."""

    ACTIVATE = "ACTIVATE"
    APPLY = "APPLY"
    APPLY_FOR_MAIN = "APPLY_FOR_MAIN"
    APPLY_NEW_NUMBER = "APPLY_NEW_NUMBER"
    ASK_MANAGER = "ASK_MANAGER"
    CONTACT_SERVICE = "CONTACT_SERVICE"
    CONVERT_TO_MAIN = "CONVERT_TO_MAIN"
    NEW_LETTER = "NEW_LETTER"
    PAIR_RESPONDER = "PAIR_RESPONDER"
    REMIND_CHAIN = "REMIND_CHAIN"
    RENEW_MANDATE = "RENEW_MANDATE"
    UPGRADE = "UPGRADE"
    USE_OTHER_MEANS = "USE_OTHER_MEANS"
    WAIT = "WAIT"


class Audience(StrEnum):
    """When a reason may be shown (RUL-11)."""

    AFTER_PASSWORD = "after_password"
    AFTER_FACTORS = "after_factors"


class Reason(StrEnum):
    """Every reason for a refusal, in the order in which they stand (RUL-4, RUL-5)."""

    NO_MEANS = "NO_MEANS"
    MEANS_NOT_ACTIVATED = "MEANS_NOT_ACTIVATED"
    MEANS_EXPIRED = "MEANS_EXPIRED"
    MEANS_REVOKED = "MEANS_REVOKED"
    UPGRADE_IN_PROGRESS = "UPGRADE_IN_PROGRESS"
    ORGANISATION_ENDED = "ORGANISATION_ENDED"
    ACCESS_PAUSED = "ACCESS_PAUSED"
    LEVEL_TOO_LOW = "LEVEL_TOO_LOW"
    NO_RESPONDER = "NO_RESPONDER"
    CERTIFICATE_REFUSED = "CERTIFICATE_REFUSED"
    BRANCH_REGISTRATION = "BRANCH_REGISTRATION"
    OTHER_BRANCH = "OTHER_BRANCH"
    NO_MANDATE = "NO_MANDATE"
    MANDATE_EXPIRED = "MANDATE_EXPIRED"
    MANDATE_DORMANT = "MANDATE_DORMANT"
    MANDATE_LEVEL_TOO_LOW = "MANDATE_LEVEL_TOO_LOW"
    CHAIN_INCOMPLETE = "CHAIN_INCOMPLETE"
    CANCELLED = "CANCELLED"

    @property
    def code(self) -> str:
        """The short code people read out to customer service: ``D01``."""
        return REASONS[self].code

    @property
    def order(self) -> int:
        """The place in the order of RUL-5; lower stands first."""
        return REASON_ORDER[self]


@dataclass(frozen=True, slots=True)
class ReasonFacts:
    """What is fixed about a reason."""

    code: str
    audience: Audience
    remedies: tuple[Remedy, ...]


_R = Remedy
_PASSWORD, _FACTORS = Audience.AFTER_PASSWORD, Audience.AFTER_FACTORS
REASONS: dict[Reason, ReasonFacts] = {
    Reason.NO_MEANS: ReasonFacts("D16", _PASSWORD, (_R.APPLY, _R.ACTIVATE)),
    Reason.UPGRADE_IN_PROGRESS: ReasonFacts("D10", _PASSWORD, (_R.WAIT, _R.CONTACT_SERVICE)),
    Reason.MEANS_NOT_ACTIVATED: ReasonFacts("D07", _PASSWORD, (_R.ACTIVATE, _R.NEW_LETTER)),
    Reason.MEANS_REVOKED: ReasonFacts("D09", _PASSWORD, (_R.CONTACT_SERVICE, _R.APPLY)),
    Reason.ACCESS_PAUSED: ReasonFacts("D14", _PASSWORD, (_R.ASK_MANAGER,)),
    Reason.MEANS_EXPIRED: ReasonFacts("D08", _PASSWORD, (_R.APPLY,)),
    Reason.ORGANISATION_ENDED: ReasonFacts("D12", _PASSWORD, (_R.APPLY_NEW_NUMBER,)),
    Reason.LEVEL_TOO_LOW: ReasonFacts("D01", _PASSWORD, (_R.UPGRADE, _R.USE_OTHER_MEANS)),
    Reason.NO_RESPONDER: ReasonFacts("A07", _PASSWORD, (_R.PAIR_RESPONDER, _R.ASK_MANAGER)),
    Reason.CERTIFICATE_REFUSED: ReasonFacts("D15", _PASSWORD, (_R.CONTACT_SERVICE,)),
    Reason.BRANCH_REGISTRATION: ReasonFacts("D05", _FACTORS, (_R.CONVERT_TO_MAIN, _R.APPLY_FOR_MAIN)),
    Reason.OTHER_BRANCH: ReasonFacts("D06", _FACTORS, (_R.ASK_MANAGER,)),
    Reason.NO_MANDATE: ReasonFacts("D02", _FACTORS, (_R.ASK_MANAGER,)),
    Reason.MANDATE_EXPIRED: ReasonFacts("D03", _FACTORS, (_R.RENEW_MANDATE, _R.ASK_MANAGER)),
    Reason.MANDATE_DORMANT: ReasonFacts("D04", _FACTORS, (_R.RENEW_MANDATE, _R.ASK_MANAGER)),
    Reason.MANDATE_LEVEL_TOO_LOW: ReasonFacts("D11", _FACTORS, (_R.ASK_MANAGER,)),
    Reason.CHAIN_INCOMPLETE: ReasonFacts("D13", _FACTORS, (_R.REMIND_CHAIN,)),
    Reason.CANCELLED: ReasonFacts("L10", _PASSWORD, ()),
}
REASON_ORDER = {reason: place for place, reason in enumerate(Reason)}


@dataclass(frozen=True, slots=True)
class Objection:
    """One reason with its remedies, most useful first, and the facts its text needs."""

    reason: Reason
    remedies: tuple[Remedy, ...]
    facts: dict[str, str] = field(default_factory=dict)


def in_order(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """The reasons without repetition in the order of RUL-5."""
    return tuple(sorted(set(reasons), key=lambda reason: REASON_ORDER[reason]))
