"""The command that lets a client register itself once."""

from datetime import timedelta

import click

from idp.cli.common import common, office_of, show
from idp.services.relying_parties.settings import PROFILES, BadParty

_A_MONTH = 24 * 31


@click.command("invite")
@common
@click.option("--services", required=True, help="Services of one provider, by name, ServiceID or UUID; comma between.")
@click.option(
    "--profile", default="standard", show_default=True, type=click.Choice([str(one) for one in PROFILES["oidc"]])
)
@click.option(
    "--hours", default=24, show_default=True, type=click.IntRange(1, _A_MONTH), help="How long it can be used."
)
@click.pass_context
def invite(context: click.Context, services: str, profile: str, hours: int) -> None:
    """Make an initial access token, by which one OIDC client registers itself (RFC 7591)."""
    from idp.services.relying_parties.registrations import Invitation
    from idp.services.relying_parties.registrations import invite as make

    office = office_of(context)
    if office.settings.oidc.registration == "closed":
        raise click.ClickException("Clients cannot register themselves; set oidc.registration to token.")
    names = tuple(one.strip() for one in services.split(",") if one.strip())
    try:
        with office.work("operator") as work:
            token = make(work, Invitation(names, profile), timedelta(hours=hours))
    except BadParty as error:
        raise click.ClickException(str(error)) from None
    facts = {"initial_access_token": token, "services": list(names), "profile": profile, "hours": hours}
    show(context, facts, f"initial_access_token {token}  (shown this once, good for one client within {hours} hours)")


COMMANDS = (invite,)
