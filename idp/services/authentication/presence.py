"""Who is at the browser, for what people do about their own login: by a login under way, or by a kept session."""

from dataclasses import dataclass

from idp.domain.assurance import Factor
from idp.domain.login import SingleSignOn, alive
from idp.services.authentication.login import Browser
from idp.services.authentication.proofs import disproven
from idp.services.decision.logins import Login, load
from idp.services.sessions.kept import find, limits
from idp.services.work import Office, Work


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody who proved the password of an account in this browser; ``strong`` with the second factor as well."""

    account: str
    strong: bool


def present(office: Office, browser: Browser, login_id: str = "") -> Present | None:
    """Who is at the browser, as far as it is proven now; None when they must log in first (SEC-29)."""
    with office.work("person") as work:
        login = underway(office, login_id, browser) if login_id else None
        if login is not None and login.progress.account and Factor.PASSWORD in login.progress.factors:
            progress = login.progress
            late = work.now > login.expires_at or disproven(work, progress)
            gone = progress.resumed and _session(work, browser) is None
            if not (late or gone):
                return Present(login.progress.account, bool(progress.factors - {Factor.PASSWORD}))
        return _session(work, browser)


def underway(office: Office, login_id: str, browser: Browser) -> Login | None:
    """The login that looking after oneself interrupts, when it is open and this browser's."""
    with office.reading() as connection:
        login = load(office, connection, login_id)
    mine = login is not None and browser.id and login.browser == office.vault.digest(browser.id, "browser")
    return login if mine and login is not None and login.status == "open" else None


def _session(work: Work, browser: Browser) -> Present | None:
    idle, total = limits(work.office)
    kept = find(work.office, work.connection, browser.session)
    if kept is None or not alive(kept, SingleSignOn(True, True, "", idle, total), work.now):
        return None
    return Present(kept.account, bool(kept.factors - {Factor.PASSWORD}))
