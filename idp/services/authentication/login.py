"""A login from the request of a relying party to its outcome: begin, look, step, leave."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from idp.domain.assertion import Assertion, Outcome
from idp.domain.assurance import Factor
from idp.domain.login import KeptSession, LoginRequest, Progress, SingleSignOn, Step, resume
from idp.domain.parties import DenyMode, Party, Profile
from idp.services.authentication.proofs import blocked, disproven
from idp.services.decision.conclusion import Standing, conclude, service_of, stand
from idp.services.decision.logins import Login, advance, fresh, load, store
from idp.services.decision.own_party import OWN
from idp.services.mail.notices import note_device
from idp.services.sessions.kept import carry_over, end, find, find_to_use, limits, open_session, remember_party, touch
from idp.services.tickets import Purpose, first_use
from idp.services.work import Office, Work

# After this long nobody waits for the answer any more; until then an idle login begins anew (L07).
_RESTARTABLE = timedelta(hours=1)
_OPT_IN_PROFILES = frozenset({Profile.EHERKENNING_111, Profile.EHERKENNING_113})


@dataclass(frozen=True, slots=True)
class Incoming:
    """A verified request of a relying party. ``replay`` must be seen for the first time, until ``replay_until``."""

    party: Party
    asked: LoginRequest
    replay: str | None = None
    replay_until: datetime | None = None


Record = Callable[[Work, Incoming, Outcome], str]


@dataclass(frozen=True, slots=True)
class Browser:
    """What the browser brought: the secrets of its two cookies, empty when absent, and whom it ``known`` before."""

    id: str
    session: str
    known: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """Who is asking: the browser, and how the protocol of its login records an outcome."""

    browser: Browser
    record: Record


class Gone(StrEnum):
    """Why there is no page for a login."""

    UNKNOWN = "unknown"
    ELSEWHERE = "elsewhere"
    ANSWERED = "answered"
    EXPIRED = "expired"
    REPLAYED = "replayed"


@dataclass(frozen=True, slots=True)
class Missing:
    """No page for this login; the login itself where it is known and this browser's."""

    why: Gone
    login: Login | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """The person is to be asked something: the step, and what the page may tell."""

    login: Login
    standing: Standing
    locked: bool = False


@dataclass(frozen=True, slots=True)
class Concluded:
    """The login has its outcome. ``session`` is the secret of a session just opened, None when no cookie changes."""

    incoming: Incoming
    outcome: Outcome
    recorded: str
    session: str | None


Result = Waiting | Concluded | Missing


def begin(office: Office, incoming: Incoming, visit: Visit, bounce: bool) -> Result:
    """Take a request in: answer it at once when nothing is to be asked, else keep it for its first page.

    ``bounce`` is for a cross-site POST that came without cookies: it is bound and judged at the first GET (RUL-18).
    """
    with office.work("person") as work:
        if incoming.replay is not None and not _first(work, incoming):
            return Missing(Gone.REPLAYED)
        bound = "" if bounce else office.vault.digest(visit.browser.id, "browser")
        login = fresh(work, incoming.party, incoming.asked, bound)
        if bounce:
            store(work, login)
            return Waiting(login, Standing(Step.PASSWORD, (), {}, None))
        return _go_on(work, _resumed(work, login, visit.browser), visit, stored=None)


def look(office: Office, login_id: str, visit: Visit) -> Result:
    """What comes next in a login; its first look binds it to the browser."""
    with office.work("person") as work:
        login = mine(work, login_id, visit.browser, binding=True)
        if isinstance(login, Missing):
            return login
        if login.browser == "":
            bound = replace(login, browser=office.vault.digest(visit.browser.id, "browser"))
            return go_on(work, login, _resumed(work, bound, visit.browser), visit)
        return go_on(work, login, login, visit)


def step(office: Office, login_id: str, visit: Visit, change: Callable[[Progress], Progress]) -> Result:
    """Apply what the person answered (a choice, a consent, a cancellation) and go on."""
    with office.work("person") as work:
        login = mine(work, login_id, visit.browser)
        if isinstance(login, Missing):
            return login
        changed = replace(login, progress=change(login.progress))
        return go_on(work, login, changed, visit)


def leave(office: Office, login_id: str, visit: Visit) -> Result:
    """Leave a refusal: the relying party hears of it now (architecture 17, deny mode ``explain``)."""
    with office.work("person") as work:
        login = mine(work, login_id, visit.browser)
        if isinstance(login, Missing):
            return login
        standing = stand(work, login.party, login.asked, login.progress)
        if standing.refused is None:
            return Waiting(login, standing)
        return _end(work, login, standing, visit, stored=login)


def go_on(work: Work, login: Login, changed: Login, visit: Visit) -> Result:
    """Write what a step changed and go on to the next, or to the outcome."""
    return _go_on(work, changed, visit, stored=login)


def mine(work: Work, login_id: str, browser: Browser, binding: bool = False) -> Login | Missing:
    """The open login of this browser, begun anew where it lay idle or lost its session (S-11, L07).

    ``binding`` is for the first look at a login that no browser has been bound to yet (RUL-18).
    """
    login = load(work.office, work.connection, login_id)
    if login is None:
        return Missing(Gone.UNKNOWN)
    if not (binding and login.browser == "") and login.browser != work.office.vault.digest(browser.id, "browser"):
        return Missing(Gone.ELSEWHERE)
    if login.status != "open":
        return Missing(Gone.ANSWERED, login)
    if not login.created_at - timedelta(minutes=5) <= work.now <= login.created_at + _RESTARTABLE:
        return Missing(Gone.EXPIRED, login)
    lasts = timedelta(minutes=work.office.settings.login.minutes)
    if work.now > login.expires_at:
        return _anew(work, login, replace(login, expires_at=work.now + lasts, restarted=True))
    return _anew(work, login, login) if _undone(work, login.progress, browser) else login


def _undone(work: Work, progress: Progress, browser: Browser) -> bool:
    """Whether what was proven is worth nothing any more, or the session it came from is gone (SEC-30)."""
    if disproven(work, progress):
        return True
    kept = find(work.office, work.connection, browser.session) if progress.resumed else None
    return progress.resumed and (kept is None or kept.account != progress.account)


def _anew(work: Work, login: Login, again: Login) -> Login | Missing:
    again = replace(again, progress=Progress())
    return again if advance(work, login, again) else Missing(Gone.ANSWERED, login)


def standing_of(office: Office, login: Login) -> Standing:
    """Where a login stands, for showing its page again after something wrong was filled in."""
    with office.reading() as connection:
        return stand(Work(connection, office.clock.now(), "person", office), login.party, login.asked, login.progress)


def single_sign_on(office: Office, party: Party, asked: LoginRequest) -> SingleSignOn:
    """The limits of a kept session for this service and party (RUL-17)."""
    idle, total = limits(office)
    return SingleSignOn(
        service=service_of(party, asked).sso,
        party=party.settings.sso,
        provider=party.provider.oin,
        idle=idle,
        total=total,
    )


def offers_to_keep(office: Office, login: Login) -> bool:
    """Whether the password page asks to stay logged in (S-2, RUL-17)."""
    sign_on = single_sign_on(office, login.party, login.asked)
    return sign_on.allowed and login.party.settings.profile in _OPT_IN_PROFILES


def _first(work: Work, incoming: Incoming) -> bool:
    until = incoming.replay_until or work.now + timedelta(hours=1)
    return first_use(work, Purpose.SAML_REQUEST, incoming.replay or "", until)


def _resumed(work: Work, login: Login, browser: Browser) -> Login:
    """How far a kept session brings a login that begins; ForceAuthn ends the session first (S-1)."""
    kept = find_to_use(work, browser.session)
    if kept is not None and login.asked.force and not login.asked.passive:
        end(work, kept.id)
    sign_on = single_sign_on(work.office, login.party, login.asked)
    return replace(login, progress=resume(login.asked, kept, sign_on, work.now))


def _go_on(work: Work, login: Login, visit: Visit, stored: Login | None) -> Result:
    standing = stand(work, login.party, login.asked, login.progress)
    at_once = login.party.settings.deny_mode is DenyMode.RETURN and standing.step is Step.REFUSED
    if standing.step is Step.ANSWER or login.asked.passive or at_once:
        return _end(work, login, standing, visit, stored)
    if stored is None:
        store(work, login)
    elif stored != login and not advance(work, stored, login):
        return Missing(Gone.ANSWERED, stored)
    return Waiting(login, standing, standing.step is Step.CODE and blocked(work, login.progress.account))


def _end(work: Work, login: Login, standing: Standing, visit: Visit, stored: Login | None) -> Result:
    """Conclude, keep the session, and let the protocol record what its answer needs: all in this transaction."""
    if stored is not None and not advance(work, stored, replace(login, status="answered")):
        return Missing(Gone.ANSWERED, stored)
    outcome = conclude(work, login.party, login.asked, login.progress, standing)
    secret: str | None = None
    if isinstance(outcome, Assertion):
        outcome, secret = _keep(work, login, visit.browser, outcome)
        if not login.progress.resumed:
            note_device(work, outcome.basis.account, visit.browser.known)
    incoming = Incoming(login.party, login.asked)
    return Concluded(incoming, outcome, visit.record(work, incoming, outcome), secret)


def _keep(work: Work, login: Login, browser: Browser, granted: Assertion) -> tuple[Assertion, str | None]:
    """Touch the session that answered, or open one where the person and the rules allow it (RUL-17, S-2, S-4)."""
    progress, party = login.progress, login.party
    sign_on = single_sign_on(work.office, party, login.asked)
    current = find(work.office, work.connection, browser.session)
    kept = current if progress.resumed else None
    wished = progress.resumed or progress.keep or party.settings.profile not in _OPT_IN_PROFILES
    if not sign_on.allowed or not wished or Factor.CERTIFICATE in progress.factors:
        return granted, None
    if kept is not None and kept.factors == progress.factors:
        # A visit to our own pages is none to another provider (S-5).
        touch(work, kept, kept.provider if party.id == OWN else sign_on.provider)
        remember_party(work, kept.id, party.id, granted.subject)
        return replace(granted, session=kept.id), None
    if current is not None:
        # Whatever this browser still held, of whomever, is over with its new secret (SEC-30).
        end(work, current.id)
    password_at = kept.password_at if kept is not None else granted.authenticated_at
    account = progress.account or ""
    session = KeptSession(
        "", account, progress.factors, granted.authenticated_at, password_at, work.now, sign_on.provider
    )
    opened = open_session(work, session)
    if kept is not None:
        carry_over(work, kept.id, opened.id)
    remember_party(work, opened.id, party.id, granted.subject)
    return replace(granted, session=opened.id), opened.secret
