"""Our own keys: made, listed, planned, published, activated, retired, exported, and who still uses old ones."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from idp.cli.common import common, office_of, settings_of, show
from idp.domain.keys import KeyStatus, KeyUse, KeyVersion
from idp.settings import Settings

if TYPE_CHECKING:
    # Only for their names: a sandbox that is ready starts without the services in this process.
    from idp.effects.keys import KeyFolder
    from idp.services.work import Work

_PROFILES = ("generic", "eherkenning-1.13", "eherkenning-1.11")
_READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)
_dry_run = click.option("--dry-run", is_flag=True, help="Tell what would happen, and change nothing.")
_force = click.option("--force", is_flag=True, help="Do it although others may not be ready.")


def make_keys(settings: Settings) -> list[str]:
    """Make the keys and the master secret that are missing; answers what was made."""
    from idp.effects.clock import SystemClock
    from idp.effects.entropy import SystemEntropy
    from idp.effects.keys import make_missing
    from idp.effects.vault import VAULT_FILE, make_master

    folder = Path(settings.keys.folder)
    now = SystemClock().now()
    made = [use.value for use in make_missing(folder, settings.keys.rsa_bits, settings.brand.name, now)]
    if not (folder / VAULT_FILE).exists():
        make_master(folder / VAULT_FILE, SystemEntropy())
        made.append(VAULT_FILE)
    return made


@click.group()
@common
def keys(**_options: object) -> None:
    """Our own keys."""


@keys.command("make")
@common
@click.pass_context
def make(context: click.Context) -> None:
    """Make the keys that are missing, readable for this user alone."""
    made = make_keys(settings_of(context))
    show(context, {"made": made}, "Made: " + ", ".join(made) if made else "Every key was there already.")


@keys.command("list")
@common
@click.pass_context
def list_keys(context: click.Context) -> None:
    """Every key with its status and dates."""
    from idp.services.own_keys.lives import as_data, versions

    with _operator(context) as work:
        found = versions(work)
    lines = [f"{one.use.value:16} {one.status.value:9} {one.kid}  {_dates(one)}".rstrip() for one in found]
    show(context, {"keys": [as_data(one) for one in found]}, "\n".join(lines))


@keys.command("plan")
@common
@click.argument("use", type=click.Choice([use.value for use in KeyUse]))
@click.option("--activate-at", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]), help="UTC; done by idp worker.")
@click.option("--request", "wants_request", is_flag=True, help="Ask an authority for the certificate: do not publish.")
@_dry_run
@click.pass_context
def plan(context: click.Context, *, use: str, activate_at: datetime | None, wants_request: bool, dry_run: bool) -> None:
    """Make the key that is to follow, and publish it beside the active one."""
    from idp.services.own_keys import lives as service
    from idp.services.own_keys.foresight import planned

    at = None if activate_at is None else activate_at.replace(tzinfo=UTC)
    with _operator(context) as work:
        said = planned(work, KeyUse(use), at, publish=not wants_request)
        if dry_run:
            _tell(context, None, said, dry_run)
            return
        made = service.plan(work, _folder(context), service.Plan(KeyUse(use), at, not wants_request))
        request = _folder(context).request(made.private_ref, _subject(context)) if wants_request else ""
    _tell(context, made, (*said, *request.splitlines()), dry_run)


@keys.command("publish")
@common
@click.argument("key")
@click.option("--certificate", type=_READABLE, help="The certificate that an authority gave for this key, PEM.")
@click.pass_context
def publish(context: click.Context, key: str, certificate: Path | None) -> None:
    """Publish a planned key, with the certificate of an authority where there is one."""
    from idp.services.own_keys import lives as service

    with _operator(context) as work:
        found = service.find(work, key)
        try:
            certified = (
                None
                if certificate is None
                else _folder(context).certify(found.private_ref, found.use, certificate.read_bytes()).public
            )
        except ValueError as error:
            raise click.ClickException(f"{certificate} cannot be used: {error}.") from None
        changed = service.publish(work, key, certified)
    _tell(context, changed, (f"{changed.name} is published.",), False)


@keys.command("activate")
@common
@click.argument("key")
@_force
@_dry_run
@click.pass_context
def activate(context: click.Context, key: str, *, force: bool, dry_run: bool) -> None:
    """Let a published key take over from the active one of its use."""
    from idp.services.own_keys import lives as service
    from idp.services.own_keys.foresight import activation

    with _operator(context) as work:
        found = service.find(work, key)
        said = activation(work, found)
        if not dry_run:
            found = service.activate(work, key, force)
    _tell(context, found, said, dry_run)


@keys.command("retire")
@common
@click.argument("key")
@_force
@_dry_run
@click.pass_context
def retire(context: click.Context, key: str, *, force: bool, dry_run: bool) -> None:
    """Stop publishing and using a key that was superseded, or drop one that waits."""
    from idp.services.own_keys import lives as service
    from idp.services.own_keys.foresight import retirement

    with _operator(context) as work:
        found = service.find(work, key)
        said = retirement(work, found)
        if not dry_run:
            found = service.retire(work, key, force)
    _tell(context, found, said, dry_run)


@keys.command("rotate")
@common
@click.argument("use", type=click.Choice([use.value for use in KeyUse]))
@_force
@click.pass_context
def rotate(context: click.Context, *, use: str, force: bool) -> None:
    """The next step of a rollover: make and publish the key that is to follow, or activate the one that waits."""
    from idp.services.own_keys import lives as service

    with _operator(context) as work:
        moved = service.rotate(work, _folder(context), KeyUse(use), force)
    _tell(context, moved, (), False)


@keys.command("export")
@common
@click.option("--next", "wants_next", is_flag=True, help="Only the keys that wait, for who takes one at a time.")
@click.option("--profile", type=click.Choice(_PROFILES), default=_PROFILES[0], show_default=True)
@click.pass_context
def export(context: click.Context, wants_next: bool, profile: str) -> None:
    """Our SAML metadata, as the address of the profile gives them."""
    from idp.domain.parties import Profile
    from idp.protocols.saml import documents
    from idp.protocols.saml.dialects import DIALECTS

    dialect = DIALECTS[Profile(profile)]
    path = dialect.next_path if wants_next else dialect.metadata_path
    found = documents(office_of(context)).get(path)
    if found is None:
        raise click.ClickException("No key waits to become active; make one with: idp keys plan saml-signing")
    octets = found[1].decode()
    show(context, {"path": path, "metadata": octets}, octets)


@keys.command("stragglers")
@common
@click.option("--all", "wants_all", is_flag=True, help="Every party at every address, stragglers or not.")
@click.pass_context
def stragglers(context: click.Context, wants_all: bool) -> None:
    """Relying parties that still ask at the address of a superseded key: they work with old metadata."""
    from idp.services.own_keys import sightings

    with office_of(context).reading() as connection:
        found = sightings.sightings(connection) if wants_all else sightings.stragglers(connection)
    lines = [
        f"{one.identity}  key {one.key or 'not named'} ({one.status or 'unknown'})  "
        f"last {one.last_seen_at:%Y-%m-%d %H:%M} UTC  at least {one.requests} requests"
        for one in found
    ]
    facts = {"stragglers": [sightings.as_data(one) for one in found]}
    show(context, facts, "\n".join(lines) or "Nobody was seen at the address of a superseded key.")


@contextmanager
def _operator(context: click.Context) -> Iterator["Work"]:
    from idp.services.own_keys.lives import BadKey

    try:
        with office_of(context).work("operator") as work:
            yield work
    except BadKey as error:
        raise click.ClickException(str(error)) from None


def _folder(context: click.Context) -> "KeyFolder":
    from idp.effects.keys import KeyFolder

    return KeyFolder(Path(settings_of(context).keys.folder))


def _subject(context: click.Context) -> str:
    return settings_of(context).brand.name


def _tell(context: click.Context, key: KeyVersion | None, said: tuple[str, ...], dry_run: bool) -> None:
    from idp.services.own_keys.lives import as_data

    facts = {"key": None if key is None else as_data(key), "consequences": list(said), "dry_run": dry_run}
    head = "This would happen:" if dry_run else "Done." if key is None else f"Done: {key.name} is {key.status}."
    show(context, facts, "\n".join([head, *said]))


def _dates(one: KeyVersion) -> str:
    match one.status:
        case KeyStatus.NEXT:
            told = "not published" if one.published_at is None else f"published {one.published_at:%Y-%m-%d}"
            return told if one.activates_at is None else f"{told}, to be activated {one.activates_at:%Y-%m-%d %H:%M}"
        case KeyStatus.ACTIVE:
            return f"since {one.activated_at:%Y-%m-%d}" if one.activated_at else ""
        case KeyStatus.RETIRING:
            return f"until {one.retires_at:%Y-%m-%d}" if one.retires_at else ""
        case KeyStatus.RETIRED:
            return f"since {one.retired_at:%Y-%m-%d}" if one.retired_at else ""
