"""The ``idp`` command: every subcommand is a thin call to one service."""

import sys

import click

from idp.cli.common import common
from idp.settings import BadSettings


class Refusal(click.ClickException):
    """Refused or failed: one sentence on standard error, exit 1."""

    exit_code = 1


@click.group()
@common
def idp(**_options: object) -> None:
    """An eHerkenning identity provider: SAML and OpenID Connect, mandates, and a laboratory."""


def main() -> None:
    """The entry of the console script; foreseeable failures are one sentence and exit 1."""
    from idp.cli import demo, operate, providers, sandbox

    for module in (demo, operate, providers, sandbox):
        for command in module.COMMANDS:
            idp.add_command(command)
    try:
        idp.main(standalone_mode=False)
    except click.UsageError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        click.echo(error.format_message(), err=True)
        sys.exit(error.exit_code)
    except BadSettings as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except click.Abort:
        sys.exit(1)
