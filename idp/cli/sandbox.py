"""Commands of the laboratory: codes of a responder, bulk data, and a decision explained."""

import sys

import click

from idp.cli.common import common, office_of, show
from idp.services.work import Office


def laboratory(context: click.Context) -> Office:
    """The office, if its laboratory is on."""
    office = office_of(context)
    if not office.settings.lab.enabled:
        raise click.ClickException("This needs the laboratory; use it on a demo's folder with --data.")
    return office


@click.command()
@common
@click.argument("username")
@click.pass_context
def otp(context: click.Context, username: str) -> None:
    """The code that a persona's responder shows now."""
    from idp.lab.pocket import shown_code
    from idp.lab.world import read

    found = shown_code(laboratory(context), username, read().clocks())
    if found is None:
        raise click.ClickException(f"{username} has no responder; idp otp works for personas that have one.")
    show(context, {"code": found.code, "expires_in": found.expires_in}, found.code)


@click.command()
@common
@click.argument("username")
@click.argument("service")
@click.pass_context
def decide(context: click.Context, username: str, service: str) -> None:
    """May this account log in to this service, and if not: why, and what mends it? (features C2)"""
    from idp.services.decision.explain import Several, explain

    try:
        found = explain(office_of(context), username, service)
    except Several as several:
        raise click.ClickException(str(several)) from None
    if found is None:
        raise click.ClickException(f"No account {username} or no service {service}; see: idp catalogue show")
    text = (
        "granted" if found.granted else "\n".join(f"{one.code} {one.reason}: {one.remedies}" for one in found.reasons)
    )
    facts = {
        "granted": found.granted,
        "reasons": [
            {"code": one.code, "reason": one.reason, "remedies": one.remedies.split()} for one in found.reasons
        ],
    }
    show(context, facts, text)


@click.group()
@common
def lab(**_options: object) -> None:
    """The laboratory."""


@lab.command("populate")
@common
@click.option("--accounts", default=1000, show_default=True, type=click.IntRange(0))
@click.option("--providers", default=0, show_default=True, type=click.IntRange(0))
@click.option("--mandates", default=0, help="Extra mandates per account.", type=click.IntRange(0))
@click.pass_context
def populate(context: click.Context, accounts: int, providers: int, mandates: int) -> None:
    """Fill a demo's database with synthetic accounts and providers, for measuring growth."""
    from idp.lab.populate import TooMany
    from idp.lab.populate import populate as fill

    office = laboratory(context)
    with click.progressbar(length=accounts + providers, file=sys.stderr, label="Populating") as bar:
        try:
            made = fill(office, accounts, providers, mandates, lambda done, _all: bar.update(done - bar.pos))
        except TooMany as error:
            raise click.ClickException(str(error)) from None
    show(context, made, f"{made['accounts_total']} accounts and {made['providers_total']} providers.")


COMMANDS = (otp, decide, lab)
