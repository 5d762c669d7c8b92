"""What may not stand in the repository."""

import re
from functools import cache
from pathlib import Path

import pytest

from tests.hygiene.tree import name, tracked

# Written in pieces, so that this file does not find itself.
_FORBIDDEN = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?<![\w.~-])/wo" + r"rk/",
        r"(?<![\w.~-])/ro" + r"ot/",
        r"(?<![\w.~-])/tm" + r"p/\w",
        r"py" + r"pi\.org",
        r"python" + r"hosted\.org",
        r"np" + r"mjs\.(org|com)",
        r"crates" + r"\.io",
        r"proxy\.gol" + r"ang",
        r"repo\d?\.ma" + r"ven",
        r"deb\.deb" + r"ian",
        r"\b(clau" + r"de|anthro" + r"pic|open" + r"ai|chat" + r"gpt|co" + r"pilot|l" + r"lm)\b",
        r"\bai[- ](assist" + r"ant|generated|agent)",
        r"Co-Authored" + r"-By",
    )
)
_SECRET = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")


@pytest.mark.parametrize("pattern", _FORBIDDEN, ids=lambda pattern: f"word-{_FORBIDDEN.index(pattern)}")
def test_no_file_names_its_maker_or_the_place_it_was_made(pattern: re.Pattern[str]) -> None:
    """No tracked file holds a path of a workplace, the host of a package registry or the name of a tool."""
    found = [f"{name(path)}: {match.group()}" for path, text in _texts().items() if (match := pattern.search(text))]
    assert found == []


def test_private_keys_stay_out() -> None:
    """A private key stands nowhere in the repository but, for tests alone, below tests/ (RUL-28)."""
    found = [name(path) for path, text in _texts().items() if _SECRET.search(text)]
    assert [path for path in found if not path.startswith("tests/")] == []


def test_files_end_well() -> None:
    """Every text file ends with one newline, without spaces at the ends of lines or tabs that editors disagree on."""
    wrong = [
        name(path)
        for path, text in _texts().items()
        if path.suffix in {".py", ".toml", ".md", ".html", ".yml", ".yaml", ".css", ".js", ".sh"}
        and (re.search(r"[ \t]$", text, re.MULTILINE) or (text and not re.search(r"[^\n]\n\Z", text)))
    ]
    assert wrong == []


@cache
def _texts() -> dict[Path, str]:
    found = {path: path.read_bytes() for path in tracked()}
    return {path: text for path, data in found.items() if (text := _decoded(data)) is not None}


def _decoded(data: bytes) -> str | None:
    try:
        return None if b"\0" in data[:4096] else data.decode()
    except UnicodeDecodeError:
        return None
