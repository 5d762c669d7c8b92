"""Whether this installation is fit for service, one sentence per subject."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from idp.domain.assurance import Level
from idp.domain.keys import KeyUse, short_name
from idp.ports import PublicKey
from idp.services.work import Office
from idp.store.schema import is_current

_EARLY_ENOUGH = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Finding:
    """One subject looked at."""

    subject: str
    good: bool
    text: str


def examine(office: Office) -> tuple[Finding, ...]:
    """Everything that ``idp check`` looks at."""
    return tuple(_findings(office))


def _findings(office: Office) -> Iterator[Finding]:
    server = office.settings.server
    yield Finding("address", True, server.base_url)
    for use in KeyUse:
        yield _key(office.keys.active(use).public, office.clock.now())
    yield _readable_by_us_alone(Path(office.settings.keys.folder))
    try:
        current = is_current(office.engine)
        yield Finding("database", current, "up to date" if current else "not up to date; run: idp db upgrade")
    except SQLAlchemyError as error:
        yield Finding("database", False, f"not reachable ({type(error).__name__}); look at database.url")
        return
    services = len(office.directory.services())
    yield Finding(
        "catalogue",
        services > 0,
        f"{services} services" if services else "empty; run: idp catalogue load FILE",
    )
    yield certificates(office)
    host = office.settings.mail.host
    fine = bool(host) or not server.production
    yield Finding("mail", fine, host or "no server: mails wait in the outbox; set mail.host")
    yield Finding("clock", True, office.clock.now().isoformat())


def certificates(office: Office) -> Finding:
    """Whether people can be asked for a certificate; without that nobody reaches a service at EH4 (F17)."""
    settings = office.settings
    lacking = settings.lacking_for_certificates
    if not lacking:
        return Finding("certificates", True, settings.server.certificate_url)
    shut = ", ".join(one.slug for one in office.directory.services() if one.level is Level.EH4)
    if not shut:
        return Finding("certificates", True, "none are asked, so EH4 is not offered")
    return Finding("certificates", False, f"nobody can log in to {shut}, which asks EH4; set {lacking}")


def _key(key: PublicKey, now: datetime) -> Finding:
    """Some relying parties mind the dates of our certificate; the next key needs weeks to become known."""
    name, text = f"key {key.use.value}", short_name(key.kid)
    if key.not_after is None or key.not_after > now + _EARLY_ENOUGH:
        return Finding(name, True, text)
    return Finding(
        name,
        key.not_after > now,
        f"{text}, whose certificate ends on {key.not_after:%Y-%m-%d}; run: idp keys rotate {key.use.value}",
    )


def _readable_by_us_alone(folder: Path) -> Finding:
    loose = [file.name for file in sorted(folder.glob("*.key*")) if file.stat().st_mode & 0o077]
    good = not loose
    return Finding("key files", good, "private" if good else f"others can read {', '.join(loose)}; run: chmod 600")
