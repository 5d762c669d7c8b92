"""Logging in with a personal certificate: shown at the certificate listener, proven in the login (F17, D15, RUL-29).

A browser offers a certificate at another address than ours, so two tickets lead there and back. Each counts once and
soon ends. The second one comes back through the browser that showed the certificate, and counts in that browser's own
login alone: whoever lures a person to the listener gets nothing.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import bindparam, insert, select, update

from idp.domain.assurance import Factor
from idp.domain.audit import Event
from idp.domain.certificates import CertificateFault, CertificateIdentity
from idp.domain.login import Step
from idp.domain.usernames import canonical
from idp.ports import Certificates
from idp.services.authentication.credentials import Attempt, Fault, Faulty
from idp.services.authentication.login import Missing, Result, go_on, mine
from idp.services.decision.conclusion import stand
from idp.services.decision.logins import Login
from idp.services.tickets import Held, Purpose, issue, peek, redeem
from idp.services.work import Office, Work
from idp.store.people import Account, CertificateRow
from idp.store.prepared import Prepared

_LISTENER = "listener"
_LASTS = timedelta(minutes=5)
_BOUND = Prepared(
    select(CertificateRow.issuer, CertificateRow.serial, CertificateRow.subject_serial, CertificateRow.subject).where(
        CertificateRow.account_id == bindparam("account"), CertificateRow.status == "active"
    )
)


class BadBinding(Exception):
    """A certificate cannot be bound like this; the text is one sentence with the remedy."""


@dataclass(frozen=True, slots=True)
class Errand:
    """The way to the listener: the secret of the ticket that leads there."""

    secret: str


@dataclass(frozen=True, slots=True)
class Shown:
    """The way back: the login it is about, and the secret of the ticket that tells what was shown."""

    login_id: str
    secret: str


def send(office: Office, tried: Attempt) -> Errand | Result:
    """A ticket to the listener for a login that waits for a certificate; else where that login stands."""
    with office.work("person") as work:
        login = mine(work, tried.login_id, tried.visit.browser)
        if isinstance(login, Missing):
            return login
        standing = stand(work, login.party, login.asked, login.progress)
        if standing.step is not Step.CERTIFICATE:
            return go_on(work, login, login, tried.visit)
        secret = office.entropy.bytes(32).hex()
        issue(work, Purpose.CERTIFICATE_ASKED, secret, Held(_LISTENER, {"login": login.id}, _LASTS))
        return Errand(secret)


def present(office: Office, judge: Certificates, secret: str, chain: Sequence[bytes]) -> Shown | None:
    """Judge what a browser showed at the listener; None when nobody was sent here with this secret."""
    with office.work("person") as work:
        if peek(work, Purpose.CERTIFICATE_ASKED, secret) is None:
            return None
    # Asking whether it was revoked goes over the network, so no transaction is open meanwhile.
    found = judge.judge(chain, office.clock.now())
    with office.work("person") as work:
        errand = redeem(work, Purpose.CERTIFICATE_ASKED, secret, _LISTENER)
        if errand is None:
            return None
        back = office.entropy.bytes(32).hex()
        told = {"fault": found.value} if isinstance(found, CertificateFault) else {"identity": asdict(found)}
        issue(work, Purpose.CERTIFICATE_SHOWN, back, Held(errand["login"], told, _LASTS))
        return Shown(errand["login"], back)


def prove(office: Office, tried: Attempt, secret: str) -> Result | Faulty:
    """Take what was shown into the login: the factor, or the fault with its reason (LOA-9, D15)."""
    with office.work("person") as work:
        login = mine(work, tried.login_id, tried.visit.browser)
        if isinstance(login, Missing):
            return login
        told = redeem(work, Purpose.CERTIFICATE_SHOWN, secret, login.id)
        if told is None or login.progress.account is None:
            return go_on(work, login, login, tried.visit)
        if "fault" in told:
            return _refuse(work, login, CertificateFault(told["fault"]), "")
        shown = CertificateIdentity(**told["identity"])
        bound = [CertificateIdentity(*row) for row in _BOUND.all(work.connection, account=login.progress.account)]
        if not any(one.binds(shown) for one in bound):
            return _refuse(work, login, CertificateFault.OTHER_PERSON, shown.serial)
        facts = {"reference": login.reference, "account": login.progress.account, "serial": shown.serial}
        work.record(Event.CERTIFICATE_ACCEPTED, **facts)
        factors = login.progress.factors | {Factor.CERTIFICATE}
        progress = replace(login.progress, factors=factors, authenticated_at=work.now)
        return go_on(work, login, replace(login, progress=progress), tried.visit)


def bind(work: Work, username: str, identity: CertificateIdentity, not_after: datetime) -> None:
    """Bind a certificate to an account in place of its former one (domain 8.12); raises ``BadBinding``."""
    account = work.connection.execute(select(Account.id).where(Account.username == canonical(username))).scalar()
    if account is None:
        raise BadBinding(f"There is no account {username}.")
    if not identity.subject_serial:
        raise BadBinding("The certificate has no serialNumber in its subject, so it names no person.")
    mark = work.office.vault.digest(f"{identity.issuer}\n{identity.serial}", "certificate")
    holder = work.connection.execute(select(CertificateRow.account_id).where(CertificateRow.mark == mark)).scalar()
    if holder is not None:
        raise BadBinding("The certificate is bound already; a certificate has one holder for ever.")
    former = update(CertificateRow).where(CertificateRow.account_id == account, CertificateRow.status == "active")
    work.connection.execute(former.values(status="replaced"))
    row = {"id": work.new_id(), "created_at": work.now, "account_id": account, "mark": mark, "status": "active"}
    work.connection.execute(insert(CertificateRow).values(**row, not_after=not_after, **asdict(identity)))
    work.record(Event.CERTIFICATE_BOUND, account=account, serial=identity.serial)


def _refuse(work: Work, login: Login, why: CertificateFault, serial: str) -> Faulty:
    account = login.progress.account or ""
    work.record(Event.CERTIFICATE_REFUSED, reference=login.reference, account=account, why=why.value, serial=serial)
    return Faulty(Fault.CERTIFICATE, login, why=why.value)
