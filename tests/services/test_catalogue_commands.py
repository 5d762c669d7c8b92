"""The commands for the catalogue, as an operator types them."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from idp.cli import main
from idp.effects.clock import CLOCK_FILE, LabClock
from idp.lab.clock import start
from idp.lab.seed import seed
from idp.services.audit import verify
from idp.services.catalogue.file import check
from idp.services.catalogue.text import write_toml
from idp.services.work import Office
from idp.settings import product_file
from tests.office import T0
from tests.services.conftest import OpenOffice
from tests.services.instances_kit import of_three
from tests.services.test_command_line import config_at

Idp = Callable[..., tuple[int, str, str]]
OURS = product_file("config", "catalogue.toml")


@pytest.fixture
def office(tmp_path: Path, sqlite_database: str, open_office: OpenOffice) -> Office:
    """The database that the commands work on, with the world in it, and the clock standing for them too."""
    made = open_office(sqlite_database)
    seed(made, 7)
    start(LabClock(tmp_path / CLOCK_FILE), T0)
    return made


@pytest.fixture
def idp(
    office: Office, tmp_path: Path, test_keys: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Idp:
    """Runs ``idp catalogue ...``: its exit status, what it wrote, and what it complained of."""
    config = config_at(tmp_path, f'[keys]\nfolder = "{test_keys}"\n[lab]\nenabled = true\n')

    def command(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = ended(monkeypatch, "catalogue", *arguments, "--config", str(config))
        written = capsys.readouterr()
        return status, written.out, written.err

    return command


def ended(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The exit status of a command, 0 when it went well."""
    monkeypatch.setattr(sys, "argv", ["idp", *arguments])
    try:
        main()
    except SystemExit as status:
        return int(status.code or 0)
    return 0


def facts(told: tuple[int, str, str]) -> Any:
    """The one JSON document of a command that went well."""
    status, out, _ = told
    assert status == 0
    return json.loads(out)


def services(office: Office) -> dict[str, Any]:
    """The catalogue of the database by slug."""
    return {one.slug: one for one in office.directory.services()}


def raised(folder: Path) -> Path:
    """Our file, with OLO raised to EH3."""
    file = folder / "raised.toml"
    file.write_text(OURS.read_text().replace('level = "EH2"\n', 'level = "EH3"\n'))
    return file


@pytest.mark.parametrize("form", [[], ["--xml"]], ids=["toml", "xml"])
def test_what_is_exported_loads_and_changes_nothing(idp: Idp, office: Office, tmp_path: Path, form: list[str]) -> None:
    """Export and load are each other's reverse, and the form is told by the content, not by the name."""
    file = tmp_path / "handed-on"
    file.write_text(idp("export", *form)[1])
    before = services(office)
    assert facts(idp("load", str(file), "--dry-run", "--json"))["changes"] == []
    assert len(facts(idp("load", str(file), "--json"))["services"]) == 7
    assert services(office) == before
    exported = facts(idp("export", *form, "--json"))
    assert (exported["format"], exported["services"]) == ("xml" if form else "toml", 7)


def test_a_pinned_certificate_is_held_against_the_signature(idp: Idp, tmp_path: Path, test_keys: Path) -> None:
    """Our own export passes with our certificate; with another's, and in TOML, the command refuses."""
    file, other = tmp_path / "c.xml", tmp_path / "other.pem"
    file.write_text(idp("export", "--xml")[1])
    (ours,) = test_keys.glob("saml-signing*.crt.pem")
    (wrong,) = test_keys.glob("saml-encryption*.crt.pem")
    assert (
        "is that of the certificate" in facts(idp("check", str(file), "--certificate", str(ours), "--json"))["notes"][0]
    )
    status, _, complaint = idp("load", str(file), "--certificate", str(wrong))
    assert (status, "signature" in complaint) == (1, True)
    other.write_text("no certificate")
    assert idp("load", str(file), "--certificate", str(other))[0] == 1
    assert idp("load", str(OURS), "--certificate", str(ours))[0] == 2


def test_a_dry_run_shows_and_changes_nothing(idp: Idp, office: Office, tmp_path: Path) -> None:
    """F06: differences and people, as text and as one JSON document; catalogue and audit stay as they were."""
    before = services(office)
    told = facts(idp("load", str(raised(tmp_path)), "--dry-run", "--json"))
    assert (told["dry_run"], [one["service"] for one in told["changes"]]) == (True, ["OLO"])
    assert told["changes"][0]["differences"] == [{"fact": "level", "before": "EH2", "after": "EH3"}]
    emre = next(one for one in told["locked_out"] if one["username"] == "emre")
    assert (emre["service"], emre["code"], emre["reason"], emre["entirely"]) == ("OLO", "D01", "LEVEL_TOO_LOW", True)
    status, out, _ = idp("load", str(raised(tmp_path)), "--dry-run")
    assert (status, services(office)) == (0, before)
    assert 'level: "EH2" -> "EH3"' in out
    assert f"{len(told['locked_out'])} would be locked out. Nothing was loaded." in out


@pytest.mark.parametrize("dry", [[], ["--dry-run"]], ids=["load", "dry run"])
@pytest.mark.parametrize(
    "content",
    [
        b"<x/>",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        b"\xff\xfe<",
        b"[[providers]]\noin = 1",
        b"",
        OURS.read_bytes().replace(b"00000009900000001000", b"00000009900000009999"),
        OURS.read_bytes().replace(b'slug = "EH4-DEMO"', b'slug = "UWV"'),
    ],
    ids=["element", "entity", "encoding", "oin", "empty", "other provider", "last entry wrong"],
)
def test_what_is_refused_is_refused_whole(
    idp: Idp, office: Office, tmp_path: Path, content: bytes, dry: list[str]
) -> None:
    """SEC-2: a sentence and status 1, nothing half loaded, and the audit chain whole."""
    before = services(office)
    file = tmp_path / "file"
    file.write_bytes(content)
    status, out, complaint = idp("load", str(file), *dry)
    assert (status, out) == (1, "")
    assert complaint.strip().endswith(".")
    assert services(office) == before
    with office.reading() as connection:
        assert verify(connection) is None


def test_checking_needs_no_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], idp: Idp
) -> None:
    """A provider's file can be tried anywhere; faults are listed one a line."""
    file = tmp_path / "c.xml"
    file.write_text(idp("export", "--xml")[1])
    assert ended(monkeypatch, "catalogue", "check", str(file)) == 0
    file.write_text(file.read_text().replace(">urn:etoegang:DV:", ">urn:etoegang:DB:"))
    assert ended(monkeypatch, "catalogue", "check", str(file)) == 1
    complaints = capsys.readouterr().err.splitlines()
    assert len(complaints) == 7
    assert all(one.startswith("line 1: ServiceID urn:etoegang:DB:") for one in complaints)


def test_sharing_a_definition_between_providers_is_told(idp: Idp, tmp_path: Path) -> None:
    """domain 4.1: the dry run and the load name who shares mandates from then on, and afterwards it is no news."""
    file = tmp_path / "shared.toml"
    file.write_text(write_toml(of_three()))
    for arguments in (["--dry-run"], []):
        (note,) = facts(idp("load", str(file), *arguments, "--json"))["notes"]
        assert note.startswith("RVO-3-9 shares its definition with RVO-3 of the provider 00000009900000002000")
    assert facts(idp("load", str(file), "--json"))["notes"] == []
    changed = facts(idp("load", str(raised(tmp_path)), "--dry-run", "--json"))["changes"]
    assert [one["instance_uuid"] for one in changed] == [services_of(OURS)["OLO"]]


def services_of(file: Path) -> dict[str, str]:
    """The UUIDs of a file's instances by slug."""
    return {one.slug: one.instance_uuid for one in check(file)}


def test_a_decision_is_asked_about_one_instance(
    idp: Idp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """features C2: the UUID of a definition with several instances is answered with their names."""
    file, config = tmp_path / "shared.toml", str(tmp_path / "config.toml")
    file.write_text(write_toml(of_three()))
    assert idp("load", str(file))[0] == 0
    assert ended(monkeypatch, "decide", "anna", of_three()[0].uuid, "--config", config) == 1
    assert "name one of RVO-3, RVO-3-8, RVO-3-9" in capsys.readouterr().err
    assert ended(monkeypatch, "decide", "anna", "RVO-3-9", "--config", config) == 0
