"""A login: what was asked, how far it is, and which step comes next."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from idp.domain.assurance import Factor, Level, missing_factor
from idp.domain.decision import Granted, Option
from idp.domain.identifiers import InstanceUuid

STEP_UP_WITHIN = timedelta(minutes=15)


class Step(StrEnum):
    """What a person is asked next; ANSWER sends them back to the service."""

    PASSWORD = "password"
    CODE = "code"
    CERTIFICATE = "certificate"
    CHOOSE = "choose"
    CONSENT = "consent"
    REFUSED = "refused"
    ANSWER = "answer"


STEP_THAT_PROVES = {Factor.OTP: Step.CODE, Factor.CERTIFICATE: Step.CERTIFICATE}


@dataclass(frozen=True, slots=True)
class RequestedAttribute:
    """An attribute of the catalogue that a relying party asks, by its URN (RA-1 to RA-5)."""

    name: str
    required: bool


@dataclass(frozen=True, slots=True)
class LoginRequest:
    """What a relying party asks, in the words of no protocol; ``reply`` is the protocol's own memory.

    ``level`` is the least level to reach and ``ceiling`` the highest to state; ``max_age`` is in seconds;
    ``subject`` is the pseudonym the answer must be about, if the request names one (OIDC ``id_token_hint``);
    ``choose`` lets the person log in with another account although a session is kept (``prompt=select_account``).
    """

    protocol: str
    party: str
    service: InstanceUuid
    level: Level
    ceiling: Level | None = None
    force: bool = False
    passive: bool = False
    ask_consent: bool = False
    choose: bool = False
    max_age: int | None = None
    attributes: tuple[RequestedAttribute, ...] = ()
    subject: str | None = None
    login_hint: str = ""
    locales: tuple[str, ...] = ()
    reply: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a login is. ``resumed`` tells that the factors come from a kept session, not from this login.

    ``foreign`` tells that this session was last used at another provider at EH3, so that going on needs
    consent (S-5); ``consented`` is None until the person answered; ``keep`` is the wish to stay logged in (S-2).
    ``proven_by`` is the responder or key that proved the second factor: once it is lost, so is what it proved (RUL-14).
    ``out_of_step`` is the responder whose clock is off, and the step of the code that showed it (L06).
    ``password_at`` is when the password that was given had been set: another one since then undoes it (SEC-30).
    """

    account: str | None = None
    factors: frozenset[Factor] = frozenset()
    authenticated_at: datetime | None = None
    resumed: bool = False
    foreign: bool = False
    chosen: str | None = None
    consented: frozenset[str] | None = None
    keep: bool = False
    cancelled: bool = False
    password_at: datetime | None = None
    out_of_step: tuple[str, int] | None = None
    proven_by: str = ""


def next_step(asked: LoginRequest, progress: Progress, options: tuple[Option, ...]) -> Step:
    """The step that comes next: the only place that knows the order of a login (RUL-11, RUL-12, GUC4)."""
    if progress.cancelled:
        return Step.ANSWER
    missing = missing_factor(asked.level, progress.factors)
    if progress.account is None or missing is Factor.PASSWORD:
        return Step.PASSWORD
    if not any(option.open for option in options):
        return Step.REFUSED
    if missing is not None:
        return STEP_THAT_PROVES[missing]
    if not any(isinstance(option.decision, Granted) for option in options):
        return Step.REFUSED
    if chosen(progress, options) is None:
        return Step.CHOOSE
    return Step.ANSWER if consented(asked, progress) else Step.CONSENT


def consented(asked: LoginRequest, progress: Progress) -> bool:
    """Whether every consent that is needed was given; none goes on without the required ones (RA-3, S-5, RUL-12)."""
    if progress.consented is None:
        return not (asked.attributes or asked.ask_consent or progress.foreign)
    return all(one.name in progress.consented for one in asked.attributes if one.required)


def chosen(progress: Progress, options: tuple[Option, ...]) -> Option | None:
    """The granted option to answer with: the person's choice, or the only one there is (RUL-15)."""
    granted = [option for option in options if isinstance(option.decision, Granted)]
    if len(granted) == 1 and progress.chosen is None:
        return granted[0]
    return next((option for option in granted if option.held.key == progress.chosen), None)


@dataclass(frozen=True, slots=True)
class KeptSession:
    """A session that was kept: who, what was proven and when, where it was used, and what ends it."""

    id: str
    account: str
    factors: frozenset[Factor]
    authenticated_at: datetime
    password_at: datetime
    last_seen_at: datetime
    provider: str


@dataclass(frozen=True, slots=True)
class SingleSignOn:
    """Whether the service, the party and the limits let a kept session answer (RUL-17, domain 9.2, 9.3)."""

    service: bool
    party: bool
    provider: str
    idle: timedelta
    total: timedelta

    @property
    def allowed(self) -> bool:
        """Both the service and the party take part."""
        return self.service and self.party


def resume(asked: LoginRequest, kept: KeptSession | None, sign_on: SingleSignOn, now: datetime) -> Progress:
    """How far a kept session brings this login: nowhere, up to the second factor, or all the way (domain 13.5).

    A session at EH4 is never kept (S-4). ForceAuthn, an exceeded ``max_age`` and the wish for another account begin
    anew (S-1). A higher level asks only the second factor while the password is at most 15 minutes old (S-6).
    """
    if kept is None or asked.force or asked.choose or not sign_on.allowed or not alive(kept, sign_on, now):
        return Progress()
    if _too_old(asked, now - kept.authenticated_at):
        return Progress()
    if asked.level is Level.EH4 or Factor.CERTIFICATE in kept.factors:
        return Progress()
    if missing_factor(asked.level, kept.factors) is not None and now - kept.password_at > STEP_UP_WITHIN:
        return Progress()
    foreign = asked.level is Level.EH3 and kept.provider != sign_on.provider
    return Progress(kept.account, kept.factors, kept.authenticated_at, resumed=True, foreign=foreign)


def _too_old(asked: LoginRequest, age: timedelta) -> bool:
    """Whether ``max_age`` is exceeded; zero asks for a new authentication even at the same instant (domain 11.3)."""
    return asked.max_age is not None and (asked.max_age == 0 or age > timedelta(seconds=asked.max_age))


def alive(kept: KeptSession, sign_on: SingleSignOn, now: datetime) -> bool:
    """Within its idle time and its total time, and not from the future (SEC-30, SEC-41).

    The total counts from the password: a second factor given later proves more, but does not prolong.
    """
    idle, age = now - kept.last_seen_at, now - kept.authenticated_at
    return timedelta(0) <= idle <= sign_on.idle and timedelta(0) <= age and now - kept.password_at <= sign_on.total


def stated_level(asked: LoginRequest, reached: Level) -> Level:
    """The level the assertion states: the one reached, capped where the request or the party says so (RC-3, LOA-7)."""
    return reached if asked.ceiling is None else min(reached, asked.ceiling)
