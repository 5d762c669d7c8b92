"""Commands of an operator: serve, deliver, check, look after database, audit and catalogue."""

import threading

import click

from idp.cli.common import common, config_of, office_of, settings_of, show
from idp.cli.keys import keys
from idp.settings import is_local


@click.command()
@common
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.pass_context
def serve(context: click.Context, host: str, port: int) -> None:
    """Serve in production, behind a proxy that ends TLS."""
    from idp.cli.serving import certificate_listener
    from idp.cli.serving import serve as run
    from idp.services.health import certificates
    from idp.store.schema import is_current

    settings = settings_of(context)
    if settings.lab.enabled and not is_local(host):
        raise click.ClickException("The laboratory serves only on loopback or below .test; set lab.enabled to false.")
    office = office_of(context)
    if not is_current(office.engine):
        raise click.ClickException("The database is not up to date; run: idp db upgrade")
    found = certificates(office)
    if not found.good:
        click.echo(f"{found.subject}: {found.text}.", err=True)
    announce = f"Serving {settings.server.base_url}"
    beside = certificate_listener(settings, host)
    run(settings, config_of(context), (host, port), lambda: click.echo(announce, err=True), beside)


@click.command()
@common
@click.pass_context
def check(context: click.Context) -> None:
    """Look whether configuration, keys, database and clock are fit for service."""
    from idp.services.health import examine

    found = examine(office_of(context))
    text = "\n".join(f"{'ok ' if one.good else 'BAD'} {one.subject}: {one.text}" for one in found)
    facts = {"checks": [{"subject": one.subject, "good": one.good, "text": one.text} for one in found]}
    show(context, facts, text)
    if not all(one.good for one in found):
        raise click.ClickException("Not fit for service; mend what is marked BAD.")


@click.command()
@common
@click.option("--once", is_flag=True, help="One round, then stop.")
@click.pass_context
def worker(context: click.Context, once: bool) -> None:
    """Do what is due: send mail and logout tokens, drop what has ended, keep key dates, fetch what parties changed."""
    from idp.cli.jobs import schedule_of

    schedule = schedule_of(office_of(context))
    while True:
        done = schedule.run_due()
        lines = [f"{name}: {', '.join(f'{key} {value}' for key, value in did.items())}" for name, did in done.items()]
        show(context, done, "\n".join(lines))
        if once:
            return
        threading.Event().wait(schedule.seconds_left())


@click.group()
@common
def db(**_options: object) -> None:
    """The database."""


@db.command("upgrade")
@common
@click.pass_context
def db_upgrade(context: click.Context) -> None:
    """Bring the tables up to date."""
    from idp.store.schema import newest, upgrade

    changed = upgrade(office_of(context).engine)
    show(context, {"version": newest(), "changed": changed}, "Upgraded." if changed else "Up to date already.")


@db.command("check")
@common
@click.pass_context
def db_check(context: click.Context) -> None:
    """Tell whether the tables are those of this version."""
    from idp.store.schema import differences, is_current

    engine = office_of(context).engine
    drift = [str(one) for one in differences(engine)]
    current = is_current(engine)
    show(
        context,
        {"current": current, "differences": drift},
        "Up to date." if current and not drift else "\n".join(drift),
    )
    if not current or drift:
        raise click.ClickException("The database differs from this version; run: idp db upgrade")


@click.group()
@common
def audit(**_options: object) -> None:
    """The audit chain."""


@audit.command("verify")
@common
@click.pass_context
def audit_verify(context: click.Context) -> None:
    """Walk the whole chain and tell whether it is untouched."""
    from idp.services.audit import verify

    with office_of(context).reading() as connection:
        torn = verify(connection)
    show(context, {"whole": torn is None, "torn_at": torn}, "The chain is whole." if torn is None else "")
    if torn is not None:
        raise click.ClickException(
            f"The chain is torn at event {torn}; restore the audit table from a copy and compare."
        )


COMMANDS = (serve, worker, check, db, audit, keys)
