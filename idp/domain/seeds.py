"""Seed files of responders: what a vendor's file holds, and what a line must keep before a device is taken in stock."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from idp.domain.otp import Algorithm

LEAST_SECRET = 16
"""Octets: RFC 4226 demands 128 bits."""
MOST_SECRET = 64
_SERIAL = re.compile(r"[A-Z0-9](?:[A-Z0-9._-]{0,38}[A-Z0-9])?", re.ASCII)


class BadSeed(Exception):
    """A seed file cannot be taken; ``line`` is where, counted from 1, and the text one sentence with the remedy."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line = line


@dataclass(frozen=True, slots=True)
class Seed:
    """One device of a seed file. ``counter`` is the next press of a device that counts; ``period`` is in seconds."""

    line: int
    serial: str
    secret: bytes
    algorithm: Algorithm = Algorithm.TOTP
    digits: int = 6
    period: int = 30
    counter: int = 0
    drift: int = 0


def canonical_serial(text: str) -> str | None:
    """A serial number as it is kept: capitals, without spaces; None for what cannot be one."""
    serial = "".join(text.split()).upper()
    return serial if _SERIAL.fullmatch(serial) else None


def judged(seed: Seed, lines: Mapping[str, int] | None = None) -> Seed:
    """The seed, if a device can be taken in stock by it; raises ``BadSeed`` (F35, O-5).

    ``lines`` says where each part of it stands, where that is not one line.
    """
    for part, wrong, sentence in (
        (
            "serial",
            not _SERIAL.fullmatch(seed.serial),
            "The serial number must be 1 to 40 letters, digits, dots or dashes.",
        ),
        (
            "secret",
            not LEAST_SECRET <= len(seed.secret) <= MOST_SECRET,
            f"The secret must have {LEAST_SECRET} to {MOST_SECRET} octets; ask the vendor for a longer one.",
        ),
        ("digits", seed.digits not in (6, 8), "A code must have 6 or 8 digits."),
        ("period", seed.period not in (30, 60), "The interval must be 30 or 60 seconds."),
        ("counter", not 0 <= seed.counter < 2**31, "The counter must be between 0 and 2147483647."),
        ("drift", abs(seed.drift) > 1000, "The drift must be at most 1000 steps either way."),
    ):
        if wrong:
            raise BadSeed((lines or {}).get(part, seed.line), sentence)
    return seed


def without_doubles(seeds: tuple[Seed, ...]) -> tuple[Seed, ...]:
    """The seeds, if none has the serial number or the secret of an earlier one; raises ``BadSeed``."""
    serials: dict[str, int] = {}
    secrets: dict[bytes, int] = {}
    for one in seeds:
        # Not judged by the line: a file may hold all its devices on one.
        if one.serial in serials:
            raise BadSeed(one.line, f"Serial number {one.serial} stands on line {serials[one.serial]} already.")
        if one.secret in secrets:
            raise BadSeed(one.line, f"The secret of {one.serial} stands on line {secrets[one.secret]} already.")
        serials[one.serial] = secrets[one.secret] = one.line
    return seeds
