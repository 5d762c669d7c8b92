"""Commands for the stock of responders."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from idp.cli.common import common, office_of, show
from idp.domain.seeds import BadSeed, Seed

if TYPE_CHECKING:
    from idp.services.work import Work

_LARGEST = 64 * 1024 * 1024


@click.group()
@common
def responders(**_options: object) -> None:
    """The stock of responders."""


@responders.command("import")
@common
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", "key_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Key, in hex.")
@click.option("--password-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Its password.")
@click.pass_context
def import_file(context: click.Context, file: Path, key_file: Path | None, password_file: Path | None) -> None:
    """Take a vendor's seed file (PSKC or CSV) in stock, wholly or not at all."""
    from idp.services.second_factor.responders import take_in

    office = office_of(context)
    try:
        seeds = _read(file, key_file, password_file)
        with office.work("operator") as work:
            taken = take_in(work, seeds)
    except BadSeed as bad:
        raise click.ClickException(f"{file.name}, line {bad.line}: {bad} Nothing was imported.") from None
    show(context, {"imported": taken}, f"{taken} responders in stock. Keep the file safe, or destroy it.")


@responders.command("list")
@common
@click.option("--status", type=click.Choice(("stock", "assigned", "lost", "retired")), help="Only these.")
@click.option("--after", default="", help="Go on after this serial number.")
@click.option("--most", default=1000, show_default=True, type=click.IntRange(1, 100_000))
@click.pass_context
def list_them(context: click.Context, status: str | None, after: str, most: int) -> None:
    """Responders by serial number."""
    from idp.services.second_factor.responders import listed

    found = listed(office_of(context), status or "", after, most)
    text = "\n".join(f"{one.serial}  {one.status:8}  {one.algorithm}  {one.username}".rstrip() for one in found)
    show(context, {"responders": [_facts(asdict(one)) for one in found]}, text or "There are no such responders.")


@responders.command("show")
@common
@click.argument("serial")
@click.pass_context
def show_one(context: click.Context, serial: str) -> None:
    """Who holds a responder; that you asked is recorded (F36)."""
    from idp.services.second_factor.responders import look_up

    with office_of(context).work("operator") as work:
        found = look_up(work, serial)
    if found is None:
        raise click.ClickException(f"There is no responder {serial}; import it, or read the number again.")
    facts = _facts(asdict(found))
    show(context, facts, "\n".join(f"{name}: {value}" for name, value in facts.items()))


@responders.command("assign")
@common
@click.argument("serial")
@click.argument("username")
@click.pass_context
def assign_one(context: click.Context, serial: str, username: str) -> None:
    """Give a responder of the stock to an account, or a found one back to who lost it."""
    from idp.services.second_factor.responders import BadResponder, assign

    try:
        with office_of(context).work("operator") as work:
            assign(work, serial, username)
    except BadResponder as bad:
        raise click.ClickException(str(bad)) from None
    show(context, {"serial": serial, "username": username}, f"{serial} belongs to {username} from now on.")


@responders.command("lost")
@common
@click.argument("serial")
@click.pass_context
def lose_one(context: click.Context, serial: str) -> None:
    """Write a responder off as lost: its codes are worth nothing from now on."""
    from idp.services.second_factor.responders import lose

    _leave(context, serial, lose, "lost")


@responders.command("retire")
@common
@click.argument("serial")
@click.pass_context
def retire_one(context: click.Context, serial: str) -> None:
    """Write a responder off for good."""
    from idp.services.second_factor.responders import retire

    _leave(context, serial, retire, "retired")


def _leave(context: click.Context, serial: str, leave: "Callable[[Work, str], None]", status: str) -> None:
    from idp.services.second_factor.responders import BadResponder

    try:
        with office_of(context).work("operator") as work:
            leave(work, serial)
    except BadResponder as bad:
        raise click.ClickException(str(bad)) from None
    show(context, {"serial": serial, "status": status}, f"{serial} is {status}.")


def _read(file: Path, key_file: Path | None, password_file: Path | None) -> tuple[Seed, ...]:
    """The devices of a file: PSKC when it begins like XML, a table otherwise."""
    from idp.effects.pskc import read_pskc
    from idp.effects.pskc_keys import Opening
    from idp.effects.seed_csv import read_csv

    if file.stat().st_size > _LARGEST:
        raise BadSeed(1, "The file is larger than 64 MiB; ask the vendor for several.")
    data = file.read_bytes()
    if not data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        return read_csv(data)
    return read_pskc(data, Opening(_key(key_file), _password(password_file)))


def _password(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    except ValueError:
        raise click.ClickException(f"{file.name} must hold the password in UTF-8.") from None


def _key(file: Path | None) -> bytes:
    if file is None:
        return b""
    try:
        return bytes.fromhex(file.read_text(encoding="ascii").strip().removeprefix("0x"))
    except ValueError:
        raise click.ClickException(f"{file.name} must hold the key in hex.") from None


def _facts(found: dict[str, object]) -> dict[str, object]:
    used = found["last_used_at"]
    return found | {"last_used_at": used.isoformat() if hasattr(used, "isoformat") else None}


COMMANDS = (responders,)
