"""Seed files as tables: a first line with names of columns, then one device a line."""

import base64
import binascii
import csv
from collections.abc import Callable, Mapping

from idp.domain.otp import Algorithm
from idp.domain.seeds import BadSeed, Seed, canonical_serial, judged, without_doubles

_SECRETS: Mapping[str, Callable[[str], bytes]] = {
    "secret_hex": bytes.fromhex,
    "secret_base32": lambda text: base64.b32decode(text + "=" * (-len(text) % 8), casefold=True),
    "secret_base64": lambda text: base64.b64decode(text, validate=True),
}
_NUMBERS = ("digits", "period", "counter", "drift")
COLUMNS = ("serial", "algorithm", *_NUMBERS, *_SECRETS)
"""What a table may have; the encoding of the secret is said, because it cannot be guessed safely."""


def read_csv(data: bytes) -> tuple[Seed, ...]:
    """The devices of a table with commas or semicolons, in UTF-8; raises ``BadSeed`` with the first wrong line."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadSeed(data.count(b"\n", 0, error.start) + 1, "The file is not text in UTF-8.") from None
    first = text.partition("\n")[0]
    rows = csv.reader(text.splitlines(), delimiter=";" if ";" in first else ",", strict=True)
    try:
        names = tuple(name.strip().lower() for name in next(rows, ()))
        _check_names(names)
        seeds = tuple(_seed(rows.line_num, names, row) for row in rows if any(cell.strip() for cell in row))
    except csv.Error as error:
        raise BadSeed(rows.line_num, f"The line cannot be read as a table: {error}.") from None
    if not seeds:
        raise BadSeed(1, "The file holds no device.")
    return without_doubles(seeds)


def _check_names(names: tuple[str, ...]) -> None:
    unknown = [name for name in names if name not in COLUMNS]
    if unknown or len(set(names)) != len(names):
        raise BadSeed(1, f"The first line must name columns, each once, out of: {', '.join(COLUMNS)}.")
    if "serial" not in names or len(_SECRETS.keys() & set(names)) != 1:
        raise BadSeed(1, f"The first line must name serial and one of: {', '.join(_SECRETS)}.")


def _seed(line: int, names: tuple[str, ...], row: list[str]) -> Seed:
    if len(row) != len(names):
        raise BadSeed(line, f"The line has {len(row)} cells in place of {len(names)}.")
    cells = {name: cell.strip() for name, cell in zip(names, row, strict=True)}
    algorithm = cells.get("algorithm", "").lower() or Algorithm.TOTP.value
    if algorithm not in set(Algorithm):
        raise BadSeed(line, f"The algorithm must be {' or '.join(Algorithm)}.")
    serial = canonical_serial(cells["serial"])
    if serial is None:
        raise BadSeed(line, "The serial number must be 1 to 40 letters, digits, dots or dashes.")
    numbers = {name: _number(line, name, cells[name]) for name in _NUMBERS if cells.get(name)}
    return judged(Seed(line, serial, _secret(line, cells), Algorithm(algorithm), **numbers))


def _secret(line: int, cells: Mapping[str, str]) -> bytes:
    column = next(name for name in cells if name in _SECRETS)
    try:
        return _SECRETS[column](cells[column].replace(" ", ""))
    except (binascii.Error, ValueError):
        raise BadSeed(line, f"The secret is no {column.removeprefix('secret_')}.") from None


def _number(line: int, name: str, text: str) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 10):
        raise BadSeed(line, f"The {name} must be a whole number.")
    return int(text)
