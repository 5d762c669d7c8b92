"""Our own keys through their lives: planned, published, activated, retired (architecture 5, SEC-42)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import insert, update

from idp.domain.audit import Event
from idp.domain.keys import KEY_LIFECYCLE, KeyEvent, KeyStatus, KeyUse, KeyVersion
from idp.domain.lifecycle import IllegalTransitionError
from idp.ports import KeyStore, NewKey, PublicKey
from idp.services.own_keys.sightings import stragglers
from idp.services.work import Work
from idp.store.keys import KeyVersionRow, columns_of, read_versions
from idp.store.versions import KEYS, bump

# A key that a party used so lately is not let go without force.
STILL_USED = timedelta(days=7)


class BadKey(Exception):
    """A key cannot be moved like this; the text is one sentence with the remedy."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A key to be made: published at once, or later, when its certificate has come from an authority."""

    use: KeyUse
    activates_at: datetime | None = None
    publish: bool = True


def versions(work: Work) -> tuple[KeyVersion, ...]:
    """Every key, of each use the active one first; one that only its file tells of gets its row here."""
    known = read_versions(work.connection)
    for use in set(KeyUse) - {one.use for one in known}:
        public = work.office.keys.active(use).public
        first = KeyVersion(
            id=work.new_id(),
            kid=public.kid,
            use=use,
            algorithm=_algorithm(use, work.office.settings.keys.rsa_bits),
            certificate=public.certificate,
            private_ref=use.value,
            status=KeyStatus.ACTIVE,
            published_at=work.now,
            activated_at=work.now,
        )
        _add(work, first)
    return read_versions(work.connection)


def plan(work: Work, store: KeyStore, wished: Plan) -> KeyVersion:
    """Make the key that is to follow; ``BadKey`` when one of its use waits already."""
    waiting = [one for one in versions(work) if one.use is wished.use and one.status is KeyStatus.NEXT]
    if waiting:
        raise BadKey(f"The key {waiting[0].name} is to follow already; activate or retire it first.")
    settings = work.office.settings
    reference = f"{wished.use.value}-{work.now:%Y%m%d-%H%M%S}"
    new = NewKey(wished.use, settings.keys.rsa_bits, settings.brand.name)
    try:
        public = store.make(reference, new, work.now).public
    except FileExistsError:
        raise BadKey(f"There is a key file {reference} already; wait a second and try again.") from None
    planned = KeyVersion(
        id=work.new_id(),
        kid=public.kid,
        use=wished.use,
        algorithm=_algorithm(wished.use, settings.keys.rsa_bits),
        certificate=public.certificate,
        private_ref=reference,
        status=KEY_LIFECYCLE.start,
        published_at=work.now if wished.publish else None,
        activates_at=wished.activates_at,
    )
    _add(work, planned)
    work.record(Event.KEY_CHANGED, kid=planned.kid, use=planned.use.value, status=planned.status.value)
    bump(work.connection, KEYS)
    return planned


def publish(work: Work, name: str, certified: PublicKey | None = None) -> KeyVersion:
    """Tell others of a planned key, with the certificate that an authority gave it where there is one."""
    found = find(work, name)
    if found.status is not KeyStatus.NEXT or found.published_at is not None:
        raise BadKey(f"The key {found.name} is {found.status} and published already.")
    changed = replace(found, published_at=work.now)
    if certified is not None:
        changed = replace(changed, kid=certified.kid, certificate=certified.certificate)
    return _change(work, changed, "published")


def activate(work: Work, name: str, force: bool = False) -> KeyVersion:
    """Let a key take over from the active one of its use, which goes on being published for a while.

    ``BadKey`` unless it was published long enough (``keys.publish_days``) or force is used (SEC-42).
    """
    found = find(work, name)
    reason = too_early(work, found)
    if reason and not force:
        raise BadKey(reason)
    if found.published_at is None:
        raise BadKey(f"The key {found.name} was never published; publish it first: idp keys publish {found.name}")
    status = _after(found, KeyEvent.ACTIVATED)
    for old in versions(work):
        if old.use is found.use and old.status is KeyStatus.ACTIVE:
            ends = work.now + timedelta(days=work.office.settings.keys.retire_days)
            superseded = replace(old, status=_after(old, KeyEvent.SUPERSEDED), superseded_at=work.now, retires_at=ends)
            _change(work, superseded, superseded.status)
    changed = replace(found, status=status, activated_at=work.now, superseded_at=None, retires_at=None)
    return _change(work, changed, "forced" if reason else changed.status)


def retire(work: Work, name: str, force: bool = False) -> KeyVersion:
    """Stop publishing and using a key; ``BadKey`` for the active one, and for one in use unless force is used."""
    found = find(work, name)
    status = _after(found, KeyEvent.RETIRED)
    using = [
        one.identity
        for one in stragglers(work.connection)
        if one.key == found.name and one.since(work.now) < STILL_USED
    ]
    if using and not force:
        raise BadKey(
            f"The key {found.name} was used in the last {STILL_USED.days} days by {', '.join(sorted(using))}; let them "
            "take our newer metadata first, or use --force."
        )
    return _change(work, replace(found, status=status, retired_at=work.now), status)


def rotate(work: Work, store: KeyStore, use: KeyUse, force: bool = False) -> KeyVersion:
    """The next step of a rollover: plan the key that is to follow, or activate the one that waits. ``BadKey``."""
    waiting = [one for one in versions(work) if one.use is use and one.status is KeyStatus.NEXT]
    return activate(work, waiting[0].kid, force) if waiting else plan(work, store, Plan(use))


def keep_dates(work: Work) -> dict[str, str]:
    """What the plans say for today: activate and retire what is due; one that may not be moved waits."""
    moved = {}
    for one in read_versions(work.connection):
        try:
            if one.status is KeyStatus.NEXT and one.activates_at is not None and one.activates_at <= work.now:
                moved[one.name] = activate(work, one.name).status.value
            elif one.status is KeyStatus.RETIRING and one.retires_at is not None and one.retires_at <= work.now:
                moved[one.name] = retire(work, one.name).status.value
        except BadKey as waits:
            moved[one.name] = str(waits)
    return moved


def find(work: Work, name: str) -> KeyVersion:
    """The one key whose name begins so; raises ``BadKey``."""
    found = [one for one in versions(work) if name and one.kid.startswith(name.lower())]
    if len(found) != 1:
        raise BadKey(f"{len(found)} keys have a name that begins with {name!r}; idp keys list shows them.")
    return found[0]


def too_early(work: Work, version: KeyVersion) -> str:
    """Why a key may not be activated yet; empty when it may."""
    known = version.known_from(timedelta(days=work.office.settings.keys.publish_days))
    if version.status is not KeyStatus.NEXT or known is None or known <= work.now:
        return ""
    return (
        f"The key {version.name} was published on {version.published_at:%Y-%m-%d %H:%M} UTC; others may not know it "
        f"before {known:%Y-%m-%d %H:%M} UTC (keys.publish_days): wait, or use --force."
    )


def as_data(version: KeyVersion) -> Mapping[str, str | None]:
    """A key as plain data, without its certificate."""
    facts = columns_of(version)
    dates = {name: None if facts[name] is None else facts[name].isoformat() for name in facts if name.endswith("_at")}
    return {
        "kid": version.kid,
        "name": version.name,
        "use": version.use.value,
        "algorithm": version.algorithm,
        "status": version.status.value,
        **dates,
    }


def _after(version: KeyVersion, event: KeyEvent) -> KeyStatus:
    try:
        return KEY_LIFECYCLE.after(version.status, event)
    except IllegalTransitionError:
        raise BadKey(
            f"The key {version.name} is {version.status} and cannot be {event}; idp keys list shows what can be."
        ) from None


def _add(work: Work, version: KeyVersion) -> None:
    work.connection.execute(insert(KeyVersionRow).values(created_at=work.now, **columns_of(version)))


def _change(work: Work, version: KeyVersion, what: str) -> KeyVersion:
    work.connection.execute(update(KeyVersionRow).where(KeyVersionRow.id == version.id).values(**columns_of(version)))
    bump(work.connection, KEYS)
    work.record(Event.KEY_CHANGED, kid=version.kid, use=version.use.value, status=str(what))
    return version


def _algorithm(use: KeyUse, rsa_bits: int) -> str:
    return "EC P-256" if use is KeyUse.OIDC_EC else f"RSA {rsa_bits}"
