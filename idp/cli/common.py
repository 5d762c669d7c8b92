"""What all subcommands share: where the settings are, and one JSON document on standard output."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from idp.settings import Settings, load

if TYPE_CHECKING:
    # Only for its name: a sandbox that is ready starts without the services in this process.
    from idp.services.work import Office

CONFIG_FILE = "config.toml"
Command = TypeVar("Command", bound=Callable[..., Any])


def common(command: Command) -> Command:
    """Give a command ``--data``, ``--config`` and ``--json``, before or after the subcommand (contract)."""
    for option in (
        click.option(
            "--json",
            "as_json",
            is_flag=True,
            callback=_remember,
            expose_value=False,
            help="One JSON document.",
        ),
        click.option("--config", type=_file(), callback=_remember, expose_value=False, help="The settings file."),
        click.option("--data", type=_folder(), callback=_remember, expose_value=False, help="A demo's folder."),
    ):
        command = option(command)
    return command


def _file() -> click.Path:
    return click.Path(dir_okay=False, path_type=Path)


def _folder() -> click.Path:
    return click.Path(file_okay=False, path_type=Path)


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    remembered = context.ensure_object(dict)
    if value:
        remembered[parameter.name] = value
    if {"config", "data"} <= remembered.keys():
        raise click.UsageError("Use --config or --data, not both: each names the settings.", context)


def config_of(context: click.Context) -> Path | None:
    """The settings file that the command line names; without one the defaults and the environment count alone."""
    options = context.ensure_object(dict)
    if "data" not in options:
        file: Path | None = options.get("config")
        return file
    demo: Path = options["data"]
    if not (demo / CONFIG_FILE).exists():
        raise click.ClickException(f"There is no demo in {demo}; start one with: idp demo --data {demo}")
    return demo / CONFIG_FILE


def settings_of(context: click.Context) -> Settings:
    """The settings that the command line names; raises ``BadSettings``."""
    return load(config_of(context))


def office_of(context: click.Context) -> "Office":
    """The office that the command line names."""
    from idp.office import open_office

    try:
        return open_office(settings_of(context))
    except FileNotFoundError as error:
        raise click.ClickException(f"{error.filename} is missing; make the keys with: idp keys make") from None


def wants_json(context: click.Context) -> bool:
    """Whether one JSON document is asked."""
    return bool(context.ensure_object(dict).get("as_json"))


def show(context: click.Context, facts: Any, text: str) -> None:
    """Print the facts as JSON, or the text for people."""
    click.echo(json.dumps(facts, ensure_ascii=False) if wants_json(context) else text)
