"""Form parameters read strictly: each may stand once, is bounded, and holds text (SEC-3, SEC-4)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

# The one parameter of ours that may come several times, read as a list with spaces between (RFC 8707 section 2).
REPEATABLE: Final = frozenset({"resource"})
FORM: Final = "application/x-www-form-urlencoded"
_MOST: Final = 60
_LONGEST_NAME: Final = 200
_LONGEST_VALUE: Final = 16 * 1024
_BROKEN_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.-]{1,40}", re.ASCII)
# Half a character, as JSON may hold it, is no text either.
_CONTROL: Final = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


class Malformed(Exception):
    """These bytes are no form at all; the text is one sentence."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What was sent. ``faults`` tells in a few words what is wrong with a parameter; empty values count as absent."""

    values: Mapping[str, str]
    faults: Mapping[str, str]

    def get(self, name: str) -> str:
        """The value, or an empty text."""
        return self.values.get(name, "")


def complaint_of(faults: Mapping[str, str]) -> str:
    """The first fault as a sentence that may stand in an error (RFC 6749 section 5.2), or an empty text."""
    for name, fault in sorted(faults.items()):
        return f"The parameter {name} {fault}." if _PLAIN.fullmatch(name) else f"A parameter {fault}."
    return ""


def read_parameters(*parts: bytes) -> Parameters:
    """The parameters of a query, a body, or both together; raises ``Malformed``."""
    return bounded(pair for part in parts for pair in _pairs(part))


def bounded(pairs: Iterable[tuple[str, str]]) -> Parameters:
    """Names with their values, held to their bounds; what is out of them becomes a fault."""
    values: dict[str, str] = {}
    faults: dict[str, str] = {}
    for name, value in pairs:
        if name in REPEATABLE and values.get(name):
            value = f"{values[name]} {value}"
        elif name in values:
            faults[name] = "stands more than once"
        if len(name) > _LONGEST_NAME or len(value) > _LONGEST_VALUE:
            faults[name[:_LONGEST_NAME]] = "is too long"
        elif _CONTROL.search(value):
            faults[name] = "holds control characters"
        values[name] = value
    return Parameters({name: value for name, value in values.items() if value and name not in faults}, faults)


def read_form(content_type: str, body: bytes, query: bytes = b"") -> Parameters:
    """The parameters of a form that was posted; raises ``Malformed`` for any other kind of body."""
    if content_type.partition(";")[0].strip().lower() != FORM:
        raise Malformed(f"The body must be {FORM}.")
    return read_parameters(query, body)


def _pairs(part: bytes) -> list[tuple[str, str]]:
    if _BROKEN_ESCAPE.search(part):
        raise Malformed("A percent sign is not followed by two hexadecimal digits.")
    try:
        return parse_qsl(part.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST)
    except UnicodeError:
        raise Malformed("The parameters are not UTF-8, percent-encoded.") from None
    except ValueError:
        raise Malformed(f"There are more than {_MOST} parameters.") from None
