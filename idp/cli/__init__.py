"""The ``idp`` command: every subcommand is a thin call to one service."""

import sys
from importlib import import_module

import click

from idp.cli.common import common
from idp.settings import BadSettings

# A subcommand's module is loaded when it is asked for, so that a sandbox starts without what it does not need.
_MODULE_OF = {
    **dict.fromkeys(("audit", "check", "db", "keys", "serve", "worker"), "operate"),
    "catalogue": "catalogue",
    "certificates": "certificates",
    "providers": "providers",
    **dict.fromkeys(("decide", "lab", "otp"), "sandbox"),
    "demo": "demo",
    "responders": "responders",
}


class Subcommands(click.Group):
    """The subcommands by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every name, in its order."""
        return sorted(_MODULE_OF)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The subcommand with this name."""
        if cmd_name not in _MODULE_OF:
            return None
        module = import_module(f"idp.cli.{_MODULE_OF[cmd_name]}")
        found: click.Command = next(one for one in module.COMMANDS if one.name == cmd_name)
        return found


@click.command(cls=Subcommands)
@common
def idp(**_options: object) -> None:
    """An eHerkenning identity provider: SAML and OpenID Connect, mandates, and a laboratory."""


def main() -> None:
    """The entry of the console script; foreseeable failures are one sentence and exit 1."""
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
    except Exception as error:
        sentence = _foreseen(error)
        if not sentence:
            raise
        click.echo(sentence, err=True)
        sys.exit(1)


def _foreseen(error: Exception) -> str:
    """What to tell of a failure that lies outside of us, or an empty text."""
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}" if error.filename else str(error)
    if isinstance(error, UnicodeDecodeError | UnicodeEncodeError):
        return f"A file or its name is not text in UTF-8: {error.reason}"
    # Only who loaded the library can have met its errors; a sandbox starts without it.
    library = sys.modules.get("sqlalchemy.exc")
    if library is not None and isinstance(error, library.ArgumentError):
        return "database.url is not an address of a database; write sqlite:///FILE or postgresql+psycopg://HOST/NAME"
    if library is not None and isinstance(error, library.SQLAlchemyError):
        return "The database is not reachable or not up to date; run: idp db upgrade"
    return ""
