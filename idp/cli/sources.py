"""Commands for the metadata of registered relying parties: newer ones by file or by address, and their keys."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from idp.cli.common import common, office_of, show
from idp.domain.parties import Party
from idp.services.relying_parties import parties
from idp.services.relying_parties.settings import BadParty

if TYPE_CHECKING:
    # Only for their names: who lists parties needs neither XML nor a way out.
    from idp.effects.fetch import GuardedFetcher
    from idp.protocols.saml.metadata.refresh import Newer
    from idp.services.work import Office, Work

_READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)
_A_MONTH = 24 * 31


def fetcher_of(office: "Office") -> "GuardedFetcher":
    """The one way out, with loopback only in the laboratory (SEC-23)."""
    import time

    from idp.effects.fetch import Bounds, GuardedFetcher
    from idp.protocols.saml.metadata.aggregate import AGGREGATE

    bounds = Bounds(octets=AGGREGATE.octets, laboratory=office.settings.lab.enabled)
    return GuardedFetcher(bounds, time.monotonic)


def obtained(office: "Office", url: str, signer: bytes, entity_id: str | None) -> bytes:
    """The metadata at an address with a pinned signature, before their party is known; ``ClickException``."""
    from idp.ports import FetchFailed
    from idp.protocols.saml.metadata.aggregate import only, pinned_keys
    from idp.protocols.saml.xmlsec.refusal import Refused
    from idp.protocols.saml.xmlsec.xml import Schemas

    try:
        return only(fetcher_of(office).get(url).octets, entity_id, pinned_keys(signer), Schemas.load())
    except (FetchFailed, Refused) as error:
        raise click.ClickException(f"{url} gives no metadata with the pinned signature: {error}") from None


def chosen(octets: bytes, entity_id: str | None) -> bytes:
    """The metadata of one entity out of a file that may hold many; ``ClickException``."""
    from idp.protocols.saml.metadata.aggregate import only
    from idp.protocols.saml.xmlsec.refusal import Refused
    from idp.protocols.saml.xmlsec.xml import Schemas

    if entity_id is None:
        return octets
    try:
        return only(octets, entity_id, (), Schemas.load())
    except Refused as refused:
        raise click.ClickException(f"The file does not give that entity: {refused.detail[:300]}.") from None


def remember_addresses(work: "Work", party: Party) -> None:
    """Let the worker fetch again what the registration of an OIDC client refers to."""
    import json

    from idp.protocols.oidc.client.registrar import EVERY_HOURS
    from idp.protocols.oidc.client.remote import remote_addresses
    from idp.services.relying_parties.keys import Source, follow

    for address in remote_addresses(json.loads(party.document))[:1]:
        follow(work, party, Source(address, "", EVERY_HOURS))


@click.command("follow")
@common
@click.argument("party")
@click.option("--url", required=True, help="Where the metadata are, https.")
@click.option("--signer", required=True, type=_READABLE, help="Certificate(s) whose signature they must carry, PEM.")
@click.option("--every-hours", default=24, show_default=True, type=click.IntRange(1, _A_MONTH))
@click.pass_context
def follow(context: click.Context, party: str, url: str, signer: Path, every_hours: int) -> None:
    """Let idp worker fetch a relying party's metadata from an address."""
    from idp.protocols.saml.metadata.aggregate import pinned_keys
    from idp.protocols.saml.xmlsec.refusal import Refused
    from idp.services.relying_parties.keys import Source, follow

    office, found = _party(context, party)
    try:
        pinned_keys(signer.read_bytes())
    except Refused as refused:
        raise click.ClickException(f"{signer} is not usable: {refused.detail}.") from None
    with office.work("operator") as work:
        follow(work, found, Source(url, signer.read_text(), every_hours))
    show(context, {"id": found.id, "url": url}, f"{found.identity} is fetched from {url} every {every_hours} hours.")


@click.command("unfollow")
@common
@click.argument("party")
@click.pass_context
def unfollow(context: click.Context, party: str) -> None:
    """Fetch a relying party's metadata no longer; the last good ones stay."""
    from idp.services.relying_parties.keys import unfollow

    office, found = _party(context, party)
    with office.work("operator") as work:
        was = unfollow(work, found)
    show(context, {"id": found.id, "was_followed": was}, f"{found.identity} is not fetched any more.")


@click.command("refresh")
@common
@click.argument("party")
@click.option("--metadata", type=_READABLE, help="Newer metadata as a file; without it they are fetched.")
@click.option("--entity", help="With --metadata: the entity ID to take out of a file that holds many.")
@click.option("--dry-run", is_flag=True, help="Show the difference, and change nothing.")
@click.option("--accept-weaker", is_flag=True, help="Take over even what makes logins less safe.")
@click.pass_context
def refresh(
    context: click.Context,
    party: str,
    *,
    metadata: Path | None,
    entity: str | None,
    dry_run: bool,
    accept_weaker: bool,
) -> None:
    """Take over newer metadata of a relying party, and show what they change."""
    from idp.protocols.saml.metadata import refresh as saml

    office, found = _party(context, party)
    try:
        if metadata is None:
            newer = saml.refresh(office, found, fetcher_of(office), saml.Intent(dry_run, accept_weaker))
        else:
            newer = saml.examine(office, found, chosen(metadata.read_bytes(), entity), pinned=False)
            if not dry_run:
                saml.take_over(office, found, newer, saml.FILE, accept_weaker)
    except saml.NotTaken as reason:
        raise click.ClickException(str(reason)) from None
    _show_changes(context, found, newer, dry_run)


@click.command("keys")
@common
@click.argument("party")
@click.pass_context
def keys_of(context: click.Context, party: str) -> None:
    """The certificates of a relying party, with their dates and where they came from."""
    from idp.protocols.saml.metadata.sp_metadata import of_party
    from idp.services.relying_parties.keys import certificates, source_of

    office, found = _party(context, party)
    with office.reading() as connection:
        rows = {(row.fingerprint, row.use): row for row in certificates(connection, found.id)}
        source = source_of(connection, found.id)
    metadata = of_party(found)
    facts: list[dict[str, Any]] = []
    for one in (*metadata.certificates, *(one for one in metadata.signing if one.ends_at is not None)):
        row = rows.get((one.fingerprint, one.use))
        facts.append(
            {
                "fingerprint": one.fingerprint,
                "use": one.use or "both",
                "not_before": one.not_before.isoformat(),
                "not_after": one.not_after.isoformat(),
                "source": "file" if row is None else row.source,
                "seen_since": None if row is None else row.created_at.isoformat(),
                "listed": one.ends_at is None,
                "counts_until": None if one.ends_at is None else one.ends_at.isoformat(),
            }
        )
    fetched = _source_facts(source)
    lines = [
        f"{one['fingerprint']}  {one['use']:10} {one['not_before'][:10]} to {one['not_after'][:10]}  {one['source']}"
        f"{'' if one['listed'] else '  not listed any more, counts until ' + one['counts_until'][:16]}"
        for one in facts
    ]
    show(context, {"id": found.id, "certificates": facts, "source": fetched}, "\n".join(lines))


@click.command("end-key")
@common
@click.argument("party")
@click.argument("certificate")
@click.pass_context
def end_key(context: click.Context, party: str, certificate: str) -> None:
    """Believe a certificate no more that a relying party's metadata no longer list: its key was stolen."""
    from idp.services.relying_parties.keys import end_certificate

    office, found = _party(context, party)
    try:
        with office.work("operator") as work:
            ended = end_certificate(work, found, certificate)
    except BadParty as error:
        raise click.ClickException(str(error)) from None
    show(context, {"id": found.id, "ended": ended}, f"{ended} counts no more.")


def _source_facts(source: Any) -> dict[str, Any] | None:
    if source is None:
        return None
    moments: dict[str, datetime | None] = {name: getattr(source, name) for name in ("due_at", "tried_at", "fetched_at")}
    dates = {name: None if at is None else at.astimezone(UTC).isoformat() for name, at in moments.items()}
    return {"url": source.url, "every_hours": source.every_hours, "trouble": source.trouble, **dates}


def _show_changes(context: click.Context, party: Party, newer: "Newer", dry_run: bool) -> None:
    facts = [
        {"subject": one.subject, "before": one.before, "after": one.after, "weaker": one.weaker}
        for one in newer.changes
    ]
    lines = [
        f"{'WEAKER ' if one.weaker else ''}{one.subject}: {one.before or 'none'} -> {one.after or 'none'}"
        for one in newer.changes
    ]
    show(context, {"id": party.id, "changes": facts, "dry_run": dry_run}, "\n".join(lines) or "Nothing changed.")


def _party(context: click.Context, party: str) -> tuple["Office", Party]:
    office = office_of(context)
    try:
        with office.work("operator") as work:
            found = parties.find(work, party)
    except BadParty as error:
        raise click.ClickException(str(error)) from None
    if found.protocol != parties.SAML:
        raise click.ClickException(f"{found.identity} is an OIDC client; its registration has no SAML metadata.")
    return office, found


COMMANDS = (follow, unfollow, refresh, keys_of, end_key)
