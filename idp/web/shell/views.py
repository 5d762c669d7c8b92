"""What pages are told about a login, as plain values in the person's language."""

from dataclasses import dataclass

from idp.domain.assertion import Assertion, Denied, LegalSubject, Outcome
from idp.domain.login import LoginRequest
from idp.domain.parties import Party
from idp.domain.reasons import Reason
from idp.services.decision.conclusion import service_of
from idp.services.decision.logins import Login
from idp.web.shell.locale import spoken


@dataclass(frozen=True, slots=True)
class AskedView:
    """Who asks what: on every page of a login (U-2, AD-2); ``portal`` tells that the service leads to others (U-5)."""

    service_name: str
    provider_name: str
    level_label: str
    description: str | None = None
    portal: bool = False


@dataclass(frozen=True, slots=True)
class WayBack:
    """Where a person can begin again."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class ActingFor:
    """For whom someone acts."""

    organisation: str
    kvk: str
    branches: tuple[str, ...]
    via: str | None


def asked_view(party: Party, asked: LoginRequest) -> AskedView:
    """The names and the level of a request, as the catalogue has them (U-3, U-4)."""
    service = service_of(party, asked)
    provider = spoken(party.provider.name)
    description = spoken(service.description) or None
    return AskedView(spoken(service.name), provider, asked.level.label, description, bool(service.portal_for))


def way_back(login: Login) -> WayBack | None:
    """The service of a login, when the catalogue knows its address."""
    service = service_of(login.party, login.asked)
    return WayBack(spoken(service.name), service.url) if service.url else None


def acting_for(outcome: Outcome) -> ActingFor | None:
    """For whom an assertion speaks; None for any other outcome (RUL-15)."""
    if not isinstance(outcome, Assertion):
        return None
    return organisation_view(outcome.principal, outcome.branches, outcome.intermediaries)


def organisation_view(
    subject: LegalSubject, branches: tuple[str, ...], intermediaries: tuple[LegalSubject, ...]
) -> ActingFor:
    """An organisation with its numbers, and the companies between, the person's own first as people read it."""
    via = ", ".join(one.name for one in reversed(intermediaries)) or None
    return ActingFor(subject.name, subject.kvk, branches, via)


def outcome_name(outcome: Outcome) -> str:
    """``granted``, ``cancelled`` or ``refused``."""
    if isinstance(outcome, Assertion):
        return "granted"
    cancelled = isinstance(outcome, Denied) and outcome.reasons == (Reason.CANCELLED,)
    return "cancelled" if cancelled else "refused"
