"""``idp demo``: a whole eHerkenning world on this machine, with one command."""

import hashlib
import json
import os
import shutil
import socket
from datetime import datetime
from pathlib import Path

import click

from idp.cli.common import CONFIG_FILE, common, wants_json
from idp.effects.clock import CLOCK_FILE, LabClock
from idp.lab.clock import start
from idp.settings import Settings, is_local, load, product_file

_MARK = "prepared"

_CONFIG = """\
# Written by idp demo at every start; change settings with IDP_<SECTION>_<KEY> in the environment.
[server]
base_url = "http://localhost:{port}"
certificate_url = "https://localhost:{listener}"
{hosts}
[database]
url = {database}
[keys]
folder = {keys}
rsa_bits = 2048
[certificates]
roots = {roots}
tls_certificate = {tls_certificate}
tls_key = {tls_key}
[oidc]
registration = "open"
[lab]
enabled = true
frozen_at = "{frozen_at}"
[paths]
data = {data}
"""


@click.command()
@common
@click.option("--host", default="127.0.0.1", show_default=True, help="A loopback address.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--seed", default=1, show_default=True, help="The same seed makes the same world.")
@click.option("--freeze", metavar="ISO-8601", help="Stop the laboratory's clock at this instant.")
@click.option("--reset", is_flag=True, help="Begin anew: throw the folder's world away.")
@click.pass_context
def demo(context: click.Context, *, host: str, port: int, seed: int, freeze: str | None, reset: bool) -> None:
    """Serve a sandbox with personas, services and demo portals on this machine alone."""
    if not is_local(host):
        raise click.ClickException(f"The sandbox serves only on loopback or below .test, not on {host}; use 127.0.0.1.")
    frozen_at = _instant(freeze)
    _free_port(host, port)
    folder = (context.ensure_object(dict).get("data") or Path(".idp-demo")).resolve()
    if reset:
        _throw_away(folder)
    with _listener(host, port) as listener:
        config = _write_config(folder, (port, listener.getsockname()[1]), frozen_at)
        settings = load(config)
        # Before the world is made: its days are counted from the clock's today.
        _set_clock(folder, frozen_at)
        mark, made_of = folder / _MARK, _made_of(config)
        if not mark.exists() or mark.read_text() != made_of:
            _prepare(settings, seed)
            mark.write_text(made_of)
        from idp.cli.keeping import Child
        from idp.cli.serving import certificate_listener, serve

        beside = [*certificate_listener(settings, host, listener)]
        if settings.lab.worker:
            beside.append(Child("worker", work))
        serve(settings, config, (host, port), lambda: _announce(context, settings), beside)


def _announce(context: click.Context, settings: Settings) -> None:
    base = settings.server.base_url
    facts = {
        "base_url": base,
        "saml_metadata": f"{base}/saml/metadata",
        "saml_metadata_eherkenning": f"{base}/saml/1.13/metadata",
        "oidc_issuer": base,
        "certificate_url": settings.server.certificate_url,
        "personas_url": f"{base}/lab/api/personas",
        "pid": os.getpid(),
    }
    text = "\n".join(
        [
            f"The sandbox is ready: {base}/lab",
            f"  SAML metadata   {facts['saml_metadata']}  (eHerkenning: {facts['saml_metadata_eherkenning']})",
            f"  OIDC issuer     {base}",
            f"  Certificates    {settings.server.certificate_url}",
            f"  Personas        {base}/lab  (JSON: {facts['personas_url']})",
            "Stop it with Ctrl-C; start it again with the same command and everything is still there.",
        ]
    )
    click.echo(json.dumps(facts) if wants_json(context) else text)


def _prepare(settings: Settings, seed: int) -> None:
    """Make what is missing: keys, tables, the world and the portals."""
    from idp.cli.keys import make_keys
    from idp.lab import authority, portals
    from idp.lab.seed import seed as seed_world
    from idp.lab.seed import seeded
    from idp.office import open_office
    from idp.store.schema import upgrade

    make_keys(settings)
    data = Path(settings.paths.data)
    # Before the world, whose people hold certificates; the listener reads them too.
    authority.make(data / authority.FOLDER, settings.server.base_url, LabClock(data / CLOCK_FILE).now())
    office = open_office(settings)
    upgrade(office.engine)
    if not seeded(office):
        seed_world(office, seed)
    portals.register(office, Path(settings.paths.data), settings.server.base_url)
    office.engine.dispose()


def _made_of(config: Path) -> str:
    """What a prepared folder was made of; a start that finds the same need not look at database and keys again."""
    migrations = Path(__file__).parents[1] / "store" / "migrations" / "versions"
    sources = [config, *sorted(product_file("config").glob("*.toml")), *sorted(migrations.glob("*.py"))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in sources)).hexdigest()


def _set_clock(folder: Path, frozen_at: datetime | None) -> None:
    start(LabClock(folder / CLOCK_FILE), frozen_at)


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"--freeze needs an instant such as 2026-01-01T09:00:00+01:00, not {text}.") from None
    if moment.tzinfo is None:
        raise click.UsageError("--freeze needs an instant with its offset, such as 2026-01-01T09:00:00+01:00.")
    return moment


def work() -> None:
    """Be the worker."""
    # As with the listener: what it needs is loaded in its own process alone.
    from idp.cli.jobs import run

    run()


def _listener(host: str, port: int) -> socket.socket:
    """Where the certificate listener goes: at the next port, or at any that is free."""
    from idp.cli.listening import bound

    try:
        return bound(host, port + 1)
    except (OSError, OverflowError):
        return bound(host, 0)


def _write_config(folder: Path, ports: tuple[int, int], frozen_at: datetime | None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / CONFIG_FILE
    stands_at = frozen_at.isoformat() if frozen_at else ""
    made = folder / "authority"
    text = _CONFIG.format(
        port=ports[0],
        listener=ports[1],
        roots=_quoted(f"{made}/root.crt.pem"),
        tls_certificate=_quoted(f"{made}/listener.chain.pem"),
        tls_key=_quoted(f"{made}/listener.key.pem"),
        hosts='hosts = ["127.0.0.1"]',
        database=_quoted(f"sqlite:///{folder}/idp.db"),
        keys=_quoted(f"{folder}/keys"),
        data=_quoted(f"{folder}"),
        frozen_at=stands_at,
    )
    config.write_text(text, encoding="utf-8")
    return config


def _quoted(text: str) -> str:
    """A text as TOML takes it: JSON's quotes and escapes, but no pairs of surrogates."""
    return json.dumps(text, ensure_ascii=False)


def _throw_away(folder: Path) -> None:
    """Only a folder that a demo made is thrown away."""
    if folder.exists() and any(folder.iterdir()) and not (folder / CONFIG_FILE).exists():
        raise click.ClickException(f"{folder} is not a demo's folder; name another one with --data.")
    shutil.rmtree(folder, ignore_errors=True)


def _free_port(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = error.strerror or "not available"
            raise click.ClickException(f"Port {port} on {host}: {reason}; choose another one with --port.") from None


COMMANDS = (demo,)
