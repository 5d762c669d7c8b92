"""The command line: foreseeable failures are one sentence, and every process gets the same settings."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from idp import settings
from idp.app import wsgi
from idp.cli import main, serving
from idp.cli.demo import _write_config
from idp.services.catalogue import loading as catalogue
from tests.services.conftest import OpenOffice


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The exit status of a command."""
    monkeypatch.setattr(sys, "argv", ["idp", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def config_at(folder: Path, text: str = "") -> Path:
    """A settings file whose state is all in one folder."""
    file = folder / "config.toml"
    file.write_text(f'[database]\nurl = "sqlite:///{folder}/idp.db"\n[paths]\ndata = "{folder}"\n{text}')
    return file


def test_a_folder_that_cannot_be_made_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A demo in a place where nothing can be made ends with status 1 and a line that names the place."""
    assert run(monkeypatch, "demo", "--data", "/proc/x/y") == 1
    assert "/proc/x" in only_line(capsys)


def test_an_unprepared_database_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, test_keys: Path
) -> None:
    """A command that meets no tables says how to make them."""
    config = config_at(tmp_path, f'[keys]\nfolder = "{test_keys}"\n')
    assert run(monkeypatch, "providers", "list", "--config", str(config)) == 1
    assert only_line(capsys) == "The database is not reachable or not up to date; run: idp db upgrade"


def test_an_address_that_names_no_database_is_told_as_such(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, test_keys: Path
) -> None:
    """A malformed database.url is named, rather than a database that cannot be reached."""
    config = tmp_path / "config.toml"
    config.write_text(f'[database]\nurl = "nonsense"\n[keys]\nfolder = "{test_keys}"\n[paths]\ndata = "{tmp_path}"\n')
    assert run(monkeypatch, "providers", "list", "--config", str(config)) == 1
    assert "database.url" in only_line(capsys)


def test_a_file_that_is_no_text_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A settings file in another encoding is refused by its name."""
    config = tmp_path / "settings.toml"
    config.write_bytes(b'[brand]\nname = "\xe9"\n')
    assert run(monkeypatch, "providers", "list", "--config", str(config)) == 1
    assert str(config) in only_line(capsys)


def only_line(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on standard error."""
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize("command", [("check",), ("serve",), ("demo",)])
def test_a_file_and_a_folder_together_are_wrong_use(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: tuple[str, ...]
) -> None:
    """Nobody has to guess which settings count: --config beside --data ends with status 2."""
    given = ("--config", str(config_at(tmp_path)), "--data", str(tmp_path))
    assert run(monkeypatch, *given, *command) == 2
    assert run(monkeypatch, given[0], given[1], *command, given[2], given[3]) == 2


@pytest.mark.parametrize("option", [None, "--config", "--data"])
def test_workers_get_the_settings_of_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, open_office: OpenOffice, test_keys: Path, option: str | None
) -> None:
    """Whatever names the settings, a worker that loads them from its environment gets those of its master."""
    open_office(f"sqlite:///{tmp_path}/idp.db")
    config = config_at(tmp_path, '[brand]\nname = "From a file"\n[lab]\nenabled = false\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IDP_CONFIG", "/nowhere/at-all.toml")
    monkeypatch.setenv("IDP_KEYS_FOLDER", str(test_keys))
    monkeypatch.setenv("IDP_DATABASE_URL", f"sqlite:///{tmp_path}/idp.db")
    loaded: list[settings.Settings] = []

    class Served:
        """Stands where the server is: it loads what a worker loads."""

        def __init__(self, *_arguments: Any, **_named: Any) -> None: ...

        def serve(self) -> None:
            """A worker's start."""
            monkeypatch.setattr("idp.app.create_app", lambda office: loaded.append(office.settings))
            wsgi()

    master: list[settings.Settings] = []
    run_served = serving.serve

    def serve(given: settings.Settings, *others: Any) -> None:
        master.append(given)
        run_served(given, *others)

    monkeypatch.setattr(serving, "Server", Served)
    monkeypatch.setattr(serving, "_tell", lambda *_: None)
    monkeypatch.setattr(serving, "serve", serve)
    named = [] if option is None else [option, str(config if option == "--config" else tmp_path)]
    monkeypatch.setattr(sys, "argv", ["idp", "serve", *named])
    main()
    assert loaded == master
    assert (loaded[0].brand.name == "From a file") is (option is not None)


@pytest.mark.parametrize("name", ['say "hi"', "back\\slash", "caf\u00e9 \U0001f600"])
def test_a_demo_s_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    """The settings that a demo writes name its folder, whatever characters stand in it."""
    folder = tmp_path / name
    loaded = settings.load(_write_config(folder, (8000, 8001), None), environ={})
    assert loaded.paths.data == str(folder)
    assert loaded.keys.folder == str(folder / "keys")
    assert loaded.database.url == f"sqlite:///{folder}/idp.db"


def test_a_sandbox_that_is_ready_starts_without_the_services() -> None:
    """The modules of ``idp demo`` load neither the web framework, nor the database library, nor the services."""
    heavy = "[one for one in ('flask', 'sqlalchemy', 'idp.services') if one in sys.modules]"
    code = f"import sys, idp.cli, idp.cli.common, idp.cli.demo, idp.cli.serving; print({heavy})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("levels", [[], ["EH5"], ["EH4"]], ids=["none", "unknown", "out of reach"])
def test_levels_that_nobody_can_reach_stop_the_start(levels: list[str]) -> None:
    """Without a level, with one that does not exist, or with EH4 alone and nobody who listens, nothing starts."""
    with pytest.raises(settings.BadSettings, match=r"login\.levels"):
        settings.load(None, {"login.levels": levels}, {})


def test_an_operator_hears_that_nobody_can_log_in_at_eh4(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    open_office: OpenOffice,
    test_keys: Path,
) -> None:
    """Where a service asks EH4 and nobody listens, the check is not good and the start says so, with the setting."""
    with open_office(f"sqlite:///{tmp_path}/idp.db").work("test") as work:
        catalogue.load(work, settings.product_file("config", "catalogue.toml"))
    config = config_at(tmp_path, "[lab]\nenabled = false\n")
    monkeypatch.setenv("IDP_KEYS_FOLDER", str(test_keys))
    monkeypatch.setenv("IDP_DATABASE_URL", f"sqlite:///{tmp_path}/idp.db")
    told = "nobody can log in to EH4-DEMO, which asks EH4; set server.certificate_url"
    assert run(monkeypatch, "check", "--config", str(config)) == 1
    assert f"BAD certificates: {told}" in capsys.readouterr().out
    monkeypatch.setattr(serving, "serve", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["idp", "serve", "--config", str(config)])
    main()
    assert told in capsys.readouterr().err
