"""Making and listing our own keys."""

from pathlib import Path

import click

from idp.cli.common import common, office_of, settings_of, show
from idp.ports import KeyUse
from idp.settings import Settings


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
    """The public keys that others should accept."""
    office = office_of(context)
    found = [{"use": use.value, "kid": key.kid} for use in KeyUse for key in office.keys.published(use)]
    show(context, {"keys": found}, "\n".join(f"{one['use']:16} {one['kid']}" for one in found))
