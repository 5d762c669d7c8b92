"""Commands for personal certificates (EH4)."""

from pathlib import Path

import click

from idp.cli.common import common, office_of, show


@click.group()
@common
def certificates(**_options: object) -> None:
    """Personal certificates with which people log in at EH4."""


@certificates.command("bind")
@common
@click.argument("username")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_context
def bind(context: click.Context, username: str, file: Path) -> None:
    """Bind the certificate of a PEM file to an account, in place of its former one."""
    from cryptography import x509

    from idp.effects.certificates import identity_of
    from idp.effects.revocation import UNREADABLE
    from idp.services.authentication.certificates import BadBinding
    from idp.services.authentication.certificates import bind as bind_certificate

    try:
        found = x509.load_pem_x509_certificate(file.read_bytes())
        identity = identity_of(found)
    except UNREADABLE:
        raise click.ClickException(f"{file} is not a certificate in PEM.") from None
    try:
        with office_of(context).work("operator") as work:
            bind_certificate(work, username, identity, found.not_valid_after_utc)
    except BadBinding as error:
        raise click.ClickException(str(error)) from None
    facts = {"username": username, "subject": identity.subject, "serial": identity.serial}
    facts["not_after"] = found.not_valid_after_utc.isoformat()
    show(context, facts, f"Bound to {username}: {identity.subject}")


COMMANDS = (certificates,)
