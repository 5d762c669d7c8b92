"""What a step in the life of our keys means for others, in sentences for an operator."""

from datetime import datetime, timedelta

from idp.domain.keys import KeyStatus, KeyUse, KeyVersion
from idp.services.own_keys.lives import too_early, versions
from idp.services.own_keys.sightings import Sighting, sightings
from idp.services.work import Work

_SEEN_LATELY = timedelta(days=30)


def planned(work: Work, use: KeyUse, activates_at: datetime | None, publish: bool) -> tuple[str, ...]:
    """What making a key means."""
    days = work.office.settings.keys.publish_days
    said = [f"A new key for {use.value} is made; the active one goes on signing."]
    if not publish:
        return (*said, "Nobody is told of it until it is published; hand the request to your authority.")
    said.append(f"It stands in {_where(use)} from now on, beside the active one; workers follow within seconds.")
    said.append(f"It may be activated from {work.now + timedelta(days=days):%Y-%m-%d %H:%M} UTC (keys.publish_days).")
    if activates_at is not None:
        said.append(f"idp worker activates it on {activates_at:%Y-%m-%d %H:%M} UTC, or as soon as it may after that.")
    return tuple(said)


def activation(work: Work, found: KeyVersion) -> tuple[str, ...]:
    """What activating a key means, and who was seen at the address of the key that it supersedes."""
    old = next((one for one in versions(work) if one.use is found.use and one.status is KeyStatus.ACTIVE), found)
    ends = work.now + timedelta(days=work.office.settings.keys.retire_days)
    said = [f"{found.name} takes over from {old.name} for {found.use.value}; workers follow within seconds."]
    reason = too_early(work, found)
    if reason:
        said.append(reason)
    if not found.use.signs:
        said.append(f"Others are no longer told to encrypt for {old.name}; what was encrypted for it can be opened.")
    else:
        said.append(f"{old.name} stays published in {_where(found.use)} until {ends:%Y-%m-%d} at least.")
    if found.use is KeyUse.SAML_SIGNING:
        said.append("Who asks at the address of a key gets the answer by that key; all others get it by the new one.")
        said += [f"Seen at the address of {old.name}: {one}." for one in _seen(work, old.name)]
        said += [f"Uses the address without a key, so must know the new one: {one}." for one in _seen(work, "")]
    return tuple(said)


def retirement(work: Work, found: KeyVersion) -> tuple[str, ...]:
    """What retiring a key means, and who was seen at its address."""
    said = [f"{found.name} is no longer published, and nothing is signed by it any more; this cannot be undone."]
    if found.use is KeyUse.SAML_SIGNING:
        said.append("Who still asks at its address gets the answer by the active key, and fails when it lacks that.")
        said += [f"Seen there: {one}." for one in _seen(work, found.name)]
    said.append(f"Its file may be thrown away: {found.private_ref}.key.pem")
    return tuple(said)


def _seen(work: Work, key: str) -> list[str]:
    found: list[Sighting] = [
        one for one in sightings(work.connection) if one.key == key and one.since(work.now) < _SEEN_LATELY
    ]
    return [f"{one.identity}, last on {one.last_seen_at:%Y-%m-%d %H:%M} UTC" for one in found]


def _where(use: KeyUse) -> str:
    return "our SAML metadata" if use in (KeyUse.SAML_SIGNING, KeyUse.SAML_ENCRYPTION) else "the JWKS"
