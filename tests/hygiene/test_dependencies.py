"""What is declared, what is locked and what is used agree."""

import re
import tomllib
from functools import cache
from importlib.metadata import requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.hygiene.tree import ROOT, name, tracked

_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
_RUNTIME = [Requirement(text) for text in _PROJECT["project"]["dependencies"]]


def _group(chosen: str) -> list[Requirement]:
    found: list[Requirement] = []
    for entry in _PROJECT["dependency-groups"][chosen]:
        found += _group(entry["include-group"]) if isinstance(entry, dict) else [Requirement(entry)]
    return found


@cache
def _locked(file: str) -> dict[str, set[Version]]:
    versions: dict[str, set[Version]] = {}
    for package, version in re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / file).read_text(), re.MULTILINE):
        versions.setdefault(canonicalize_name(package), set()).add(Version(version))
    return versions


_DECLARED = [
    *((wanted, "requirements.lock") for wanted in _RUNTIME + _group("build")),
    *((wanted, "requirements-dev.lock") for wanted in _RUNTIME + _group("dev")),
]


@pytest.mark.parametrize(("wanted", "lock"), _DECLARED, ids=lambda value: getattr(value, "name", value))
def test_what_is_declared_is_locked(wanted: Requirement, lock: str) -> None:
    """Every declared package stands in the lock, at versions that its declaration allows."""
    versions = _locked(lock)[canonicalize_name(wanted.name)]
    assert all(wanted.specifier.contains(version) for version in versions)


@pytest.mark.parametrize("wanted", _RUNTIME, ids=lambda wanted: wanted.name)
def test_what_runs_has_a_lower_bound(wanted: Requirement) -> None:
    """Every package that runs in production says from which version on it is known to be right."""
    assert any(part.operator == ">=" for part in wanted.specifier)


def test_tests_run_on_what_runs_in_production() -> None:
    """The test lock holds every version of the production lock, the same one."""
    test = _locked("requirements-dev.lock")
    assert {package: test.get(package) for package in _locked("requirements.lock")} == _locked("requirements.lock")


@pytest.mark.parametrize(
    "lock",
    [
        "requirements.lock",
        "requirements-dev.lock",
        "tests/conformance/municipality/requirements.lock",
        "tests/conformance/django/requirements.lock",
    ],
)
def test_a_lock_has_hashes_and_no_address(lock: str) -> None:
    """Every locked package has a SHA-256, and no lock names an index (RUL-44)."""
    text = (ROOT / lock).read_text()
    assert "://" not in text
    packages = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert [entry.split()[0] for entry in packages if "--hash=sha256:" not in entry] == []


def test_javascript_locks_name_no_registry() -> None:
    """No package-lock.json records where a package came from, and every package has a digest (RUL-44)."""
    locks = [path for path in tracked() if path.name == "package-lock.json"]
    assert [name(path) for path in locks if '"resolved"' in path.read_text()] == []
    assert all(path.read_text().count('"integrity"') > 0 for path in locks)


def test_the_installed_package_is_this_one() -> None:
    """The environment holds this checkout's declarations, so that tests judge what is declared."""
    installed = {canonicalize_name(Requirement(text).name) for text in requires("idp") or [] if "extra ==" not in text}
    assert installed == {canonicalize_name(wanted.name) for wanted in _RUNTIME}
