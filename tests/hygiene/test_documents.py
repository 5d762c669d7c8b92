"""What the documents promise is there."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path
from urllib.parse import unquote

import pytest

from idp.settings import Settings
from tests.hygiene.tree import ROOT, modules, name, tracked

_DEFAULTS = ROOT / "config/default.toml"
_MAKEFILE = (ROOT / "Makefile").read_text()
_TARGETS = set(re.findall(r"^([a-z]+):", _MAKEFILE, re.MULTILINE))
_DOCUMENTS = [path for path in tracked() if path.suffix == ".md" and "tests/" not in name(path)]
_KEYS = [(section, key) for section, table in tomllib.loads(_DEFAULTS.read_text()).items() for key in table]


def test_the_makefile_is_short_and_explains_itself() -> None:
    """The Makefile has at most 40 lines, and help lists every command that the contract names."""
    assert len(_MAKEFILE.splitlines()) <= 40
    explained = set(re.findall(r"^([a-z]+):.* ## \S", _MAKEFILE, re.MULTILINE))
    assert {"bench", "check", "demo", "help", "mutants", "test"} <= explained


@pytest.mark.parametrize("path", _DOCUMENTS, ids=name)
def test_documented_make_commands_exist(path: Path) -> None:
    """Every ``make`` command in a document is a target of the Makefile."""
    commands = re.findall(r"(?:^|`|\$ )make ([a-z]+)\b", path.read_text(), re.MULTILINE)
    assert set(commands) <= _TARGETS


@pytest.mark.parametrize("path", _DOCUMENTS, ids=name)
def test_links_lead_somewhere(path: Path) -> None:
    """Every relative link in a document leads to a file or folder of the repository."""
    targets = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", path.read_text())
    assert [target for target in targets if not (path.parent / unquote(target)).exists()] == []


def test_continuous_integration_runs_the_readme() -> None:
    """The integration script runs the test command that the README gives."""
    script = ROOT / ".ci/run"
    assert "make test" in script.read_text()
    assert "make test" in (ROOT / "README.md").read_text()
    assert script.stat().st_mode & 0o111


@pytest.mark.parametrize("section", fields(Settings), ids=lambda section: section.name)
def test_every_setting_has_its_default(section: object) -> None:
    """A section of the settings and its table in config/default.toml have the same keys."""
    table = tomllib.loads(_DEFAULTS.read_text())[section.name]  # type: ignore[attr-defined]
    assert set(table) == {field.name for field in fields(section.type)}  # type: ignore[attr-defined]


@pytest.mark.parametrize(("section", "key"), _KEYS, ids=map(".".join, _KEYS))
def test_every_setting_is_explained(section: str, key: str) -> None:
    """Every setting stands below a comment that explains it, alone or with the settings it belongs with."""
    table = _DEFAULTS.read_text().split(f"[{section}]\n", 1)[1].split("\n[", 1)[0]
    group = table[: re.search(rf"^{key} = ", table, re.MULTILINE).start()]  # type: ignore[union-attr]
    assert "# " in group


@pytest.mark.parametrize(("section", "key"), _KEYS, ids=map(".".join, _KEYS))
def test_every_setting_is_obeyed(section: str, key: str) -> None:
    """Every setting is read somewhere outside the module that loads it."""
    readers = [path for path in modules("idp") if path.name != "settings.py"] + sorted(
        (ROOT / "templates").rglob("*.*")
    )
    code = "\n".join(path.read_text() for path in readers)
    assert re.search(rf"\.{key}\b", code), f"nothing reads {section}.{key}"
