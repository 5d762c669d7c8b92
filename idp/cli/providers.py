"""Commands for relying parties."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from idp.cli import invitations, sources
from idp.cli.common import common, office_of, show
from idp.domain.parties import Party, Profile
from idp.services.relying_parties import parties
from idp.services.relying_parties.keys import FILE, URL, Source, follow, keep_certificates
from idp.services.relying_parties.settings import PROFILES, BadParty
from idp.services.work import Office, Work

_EVERY_HOURS = 24
_READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)


@contextmanager
def _operator(context: click.Context) -> Iterator[Work]:
    """A unit of work of the operator; what cannot be done is one sentence and exit 1."""
    try:
        with office_of(context).work("operator") as work:
            yield work
    except BadParty as error:
        raise click.ClickException(str(error)) from None


@click.group()
@common
def providers(**_options: object) -> None:
    """Relying parties."""


@providers.command("add")
@common
@click.option("--metadata", type=_READABLE, help="SAML metadata of the relying party.")
@click.option("--url", help="Where the SAML metadata are, https; idp worker fetches them from there from now on.")
@click.option("--signer", type=_READABLE, help="With --url: certificate(s) whose signature they must carry, PEM.")
@click.option("--entity", help="The entity ID to take out of a file or address that holds many.")
@click.option("--client", type=_READABLE, help="RFC 7591 client metadata of an OIDC client, as JSON.")
@click.option("--services", required=True, help="Services of the catalogue, by name, ServiceID or UUID; comma between.")
@click.option(
    "--profile", help="SAML: generic, eherkenning-1.13 or eherkenning-1.11. OIDC: standard, nl-gov or fapi-2."
)
@click.option("--reading", help="strict or lenient.")
@click.option("--provider", help="Make a new provider of this name, with copies of the services.")
@click.option("--oin", help="The new provider's OIN: 20 digits.")
@click.pass_context
def add(context: click.Context, /, **given: Any) -> None:
    """Register a relying party for services of the catalogue."""
    if sum(given[name] is not None for name in ("metadata", "url", "client")) != 1:
        raise click.UsageError("Name one of --metadata or --url (SAML) and --client (OIDC).")
    if (given["url"] is None) != (given["signer"] is None):
        raise click.UsageError("--url and --signer go together.")
    if (given["provider"] is None) != (given["oin"] is None):
        raise click.UsageError("--provider and --oin go together.")
    try:
        new = _described(given, office_of(context))
    except BadParty as error:
        raise click.ClickException(str(error)) from None
    with _operator(context) as work:
        added = parties.add(work, new)
        if added.party.protocol == parties.SAML:
            _remember_source(work, added.party, given)
        else:
            sources.remember_addresses(work, added.party)
    facts = parties.as_data(added.party)
    if added.party.protocol == parties.SAML:
        keys = ("id", "entity_id", "profile", "services")
        lines = [f"Registered {facts['entity_id']} as {facts['id']}.", *(f"Let pass. {one}" for one in new.notes)]
        show(context, {key: facts[key] for key in keys} | {"notes": list(new.notes)}, "\n".join(lines))
        return
    made = {"id": facts["id"], "client_id": facts["client_id"], "client_secret": added.secret or None}
    secret = f"\nclient_secret {added.secret}  (shown this once)" if added.secret else ""
    show(context, made | {"services": facts["services"]}, f"client_id {facts['client_id']}{secret}")


def _remember_source(work: Work, party: Party, given: dict[str, Any]) -> None:
    """Note where the certificates of a SAML party came from, and follow the address where it was one."""
    from idp.protocols.saml.metadata.refresh import listed_of

    keep_certificates(work, party.id, listed_of(party.document), FILE if given["url"] is None else URL)
    if given["url"] is not None:
        follow(work, party, Source(given["url"], given["signer"].read_text(), _EVERY_HOURS))


def _described(given: dict[str, Any], office: Office) -> parties.NewParty:
    """What the file of a relying party says, checked by its protocol; raises ``BadParty``."""
    wishes = {key: given[key] for key in ("profile", "reading") if given[key]}
    services = tuple(one.strip() for one in given["services"].split(",") if one.strip())
    provider = parties.NewProvider(given["provider"], given["oin"]) if given["provider"] else None
    if given["client"] is None:
        from idp.protocols.saml.metadata.description import described as saml_party

        octets = (
            sources.chosen(given["metadata"].read_bytes(), given["entity"])
            if given["url"] is None
            else sources.obtained(office, given["url"], given["signer"].read_bytes(), given["entity"])
        )
        pinned = given["url"] is not None
        return saml_party(octets, services, wishes, provider, office.clock.now(), pinned=pinned)
    from idp.protocols.oidc.client.registration import described as oidc_party

    return oidc_party(given["client"].read_bytes(), services, wishes, provider, sources.fetcher_of(office))


@providers.command("set")
@common
@click.argument("party")
@click.argument("wishes", nargs=-1, required=True, metavar="KEY=VALUE...")
@click.pass_context
def configure(context: click.Context, party: str, wishes: tuple[str, ...]) -> None:
    """Change settings of a relying party: profile, reading, sso, deny_mode, answer_level, name and more."""
    pairs = [wish.partition("=") for wish in wishes]
    if any(not separator for _, separator, _ in pairs):
        raise click.UsageError("A setting is written KEY=VALUE.")
    wished = {key: value for key, _, value in pairs}
    with _operator(context) as work:
        _hold_to_profile(work, party, wished.get("profile", ""))
        if wished.get("artifact_client_certificate") == "true" and not work.office.settings.server.certificate_url:
            raise BadParty("Nobody can show a client certificate here: set server.certificate_url first.")
        changed = parties.configure(work, party, wished)
    show(context, parties.as_data(changed), f"Changed {changed.identity}.")


def _hold_to_profile(work: Work, party: str, profile: str) -> None:
    """Refuse a profile that the metadata of a SAML party do not allow; an unknown one is told of elsewhere."""
    found = parties.find(work, party)
    if found.protocol == parties.SAML and profile in PROFILES[parties.SAML]:
        from idp.protocols.saml.metadata.description import hold_to_profile

        hold_to_profile(found, Profile(profile), work.now)


@providers.command("list")
@common
@click.pass_context
def list_parties(context: click.Context) -> None:
    """Every relying party."""
    with _operator(context) as work:
        found = [parties.as_data(one) for one in parties.every(work)]
    lines = [f"{one['id']}  {one['profile']:16} {one.get('entity_id') or one['client_id']}" for one in found]
    show(context, {"providers": found}, "\n".join(lines) or "No relying parties yet.")


@providers.command("show")
@common
@click.argument("party")
@click.pass_context
def show_party(context: click.Context, party: str) -> None:
    """One relying party with all its settings."""
    with _operator(context) as work:
        facts = parties.as_data(parties.find(work, party))
    show(context, facts, json.dumps(facts, indent=2, ensure_ascii=False))


@providers.command("remove")
@common
@click.argument("party")
@click.pass_context
def remove(context: click.Context, party: str) -> None:
    """Take a relying party out."""
    with _operator(context) as work:
        removed = parties.remove(work, party)
    show(context, {"removed": removed.id}, f"Removed {removed.identity}.")


for _command in (*sources.COMMANDS, *invitations.COMMANDS):
    providers.add_command(_command)


COMMANDS = (providers,)
