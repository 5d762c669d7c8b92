"""Commands for the service catalogue: load it from TOML or XML, try a file, show it, and hand it out."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from idp.cli.common import common, office_of, settings_of, show, wants_json
from idp.domain.parties import Service
from idp.services.catalogue import loading as catalogues
from idp.services.catalogue.changes import Change, changes
from idp.services.catalogue.definitions import shared_notes
from idp.services.catalogue.file import BadCatalogue, Draft, octets_of, read_toml
from idp.services.catalogue.text import write_toml
from idp.services.decision.conclusion import dutch_day
from idp.services.work import Office
from idp.store.catalogue import read_services

if TYPE_CHECKING:
    # Only for their names: who checks a file of ours needs neither XML nor the decision.
    from idp.protocols.saml.catalogue.reader import Manner
    from idp.protocols.saml.xmlsec.algorithms import VerificationKey
    from idp.services.catalogue.lockout import LockedOut

_READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)
_CERTIFICATE = click.option(
    "--certificate", type=_READABLE, help="XML: certificate(s) of which one must have signed it, PEM."
)


@contextmanager
def _told() -> Iterator[None]:
    """What is wrong with a file is a sentence for each fault, and exit 1."""
    try:
        yield
    except BadCatalogue as error:
        raise click.ClickException("\n".join(error.faults)) from None


@click.group()
@common
def catalogue(**_options: object) -> None:
    """The service catalogue."""


@catalogue.command("load")
@common
@click.argument("file", type=_READABLE)
@_CERTIFICATE
@click.option("--dry-run", is_flag=True, help="Show the differences and who would be locked out, and change nothing.")
@click.pass_context
def load(context: click.Context, file: Path, certificate: Path | None, *, dry_run: bool) -> None:
    """Load services from a catalogue file, in our TOML or the scheme's XML."""
    office = office_of(context)
    with _told():
        if dry_run:
            _try_out(context, office, file, certificate)
            return
        with office.work("operator") as work:
            known = read_services(work.connection)
            draft = _read(file, known, lambda: _manner(office, known, certificate), certificate)
            draft = _noted(draft, office, known)
            services = catalogues.store(work, draft.services)
    lines = [*draft.notes, f"Loaded {len(services)} services."]
    show(context, {"services": [one.slug for one in services], "notes": list(draft.notes)}, "\n".join(lines))


@catalogue.command("check")
@common
@click.argument("file", type=_READABLE)
@_CERTIFICATE
@click.pass_context
def check(context: click.Context, file: Path, certificate: Path | None) -> None:
    """Tell whether a catalogue file can be loaded."""
    try:
        draft = _read(file, (), lambda: _plain_manner(context, certificate), certificate)
    except BadCatalogue as error:
        if wants_json(context):
            show(context, {"good": False, "faults": list(error.faults)}, "")
        raise click.ClickException("\n".join(error.faults)) from None
    names = [one.slug for one in draft.services]
    lines = [*draft.notes, f"{len(names)} services, all good."]
    show(context, {"good": True, "services": names, "notes": list(draft.notes)}, "\n".join(lines))


@catalogue.command("show")
@common
@click.pass_context
def show_catalogue(context: click.Context) -> None:
    """The catalogue of the database."""
    with office_of(context).reading() as connection:
        found = catalogues.show(connection)
    lines = [f"{one['id']:16} {one['level']:5} {one['name']['nl']} ({one['provider']['name']['nl']})" for one in found]
    show(
        context,
        {"services": found},
        "\n".join(lines) or "The catalogue is empty; load one with: idp catalogue load FILE",
    )


@catalogue.command("export")
@common
@click.option("--xml", is_flag=True, help="The scheme's form, signed by our SAML signing key; else our TOML.")
@click.pass_context
def export(context: click.Context, *, xml: bool) -> None:
    """Write the whole catalogue to standard output, as a file that idp catalogue load takes."""
    office = office_of(context)
    services = office.directory.services()
    if not services:
        raise click.ClickException("The catalogue is empty; load one with: idp catalogue load FILE")
    if xml:
        from idp.protocols.saml.catalogue.writer import signed_catalogue

        text = signed_catalogue(office, services).decode()
    else:
        text = write_toml(services)
    facts = {"format": "xml" if xml else "toml", "services": len(services), "document": text}
    if wants_json(context):
        show(context, facts, "")
    else:
        click.echo(text.encode(), nl=False)


def _read(file: Path, known: Iterable[Service], manner: Callable[[], "Manner"], certificate: Path | None) -> Draft:
    """The services of a file, whose form is told by its first character; raises ``BadCatalogue``."""
    octets = octets_of(file)
    if not octets.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        if certificate is not None:
            raise click.UsageError("--certificate is for XML; a file in TOML carries no signature.")
        return Draft(read_toml(octets, file, known))
    from idp.protocols.saml.catalogue.reader import read_xml

    return read_xml(octets, manner())


def _noted(draft: Draft, office: Office, known: Iterable[Service]) -> Draft:
    """The draft with a note for every definition that becomes shared, and every level that is not offered (AD-3)."""
    offered, lacking = office.settings.offered, office.settings.lacking_for_certificates
    notes = [
        f"{one.slug} asks {one.level.label}, which is not offered here "
        f"({lacking if one.level.name in office.settings.login.levels else 'login.levels'}), "
        "so nobody can log in to it."
        for one in draft.services
        if one.level.name not in offered
    ]
    return Draft(draft.services, (*draft.notes, *shared_notes(draft.services, known), *notes))


def _manner(office: Office, known: Iterable[Service], certificate: Path | None) -> "Manner":
    from idp.protocols.saml.catalogue.reader import Manner

    return Manner(office.clock.now(), office.settings.saml.oin, _pinned(certificate), tuple(known))


def _plain_manner(context: click.Context, certificate: Path | None) -> "Manner":
    """How to read a file without a database."""
    from idp.effects.clock import SystemClock
    from idp.protocols.saml.catalogue.reader import Manner

    return Manner(SystemClock().now(), settings_of(context).saml.oin, _pinned(certificate))


def _pinned(certificate: Path | None) -> "Sequence[VerificationKey]":
    from idp.protocols.saml.metadata.aggregate import pinned_keys
    from idp.protocols.saml.xmlsec.refusal import Refused

    if certificate is None:
        return ()
    try:
        return pinned_keys(certificate.read_bytes())
    except Refused as refused:
        raise click.ClickException(f"{certificate} is not usable: {refused.detail}.") from None


def _try_out(context: click.Context, office: Office, file: Path, certificate: Path | None) -> None:
    """Write what a file would change and whom it would lock out, each person as soon as found."""
    from idp.services.catalogue.lockout import locked_out

    with office.reading() as connection:
        before = read_services(connection)
        draft = _read(file, before, lambda: _manner(office, before, certificate), certificate)
        draft = _noted(draft, office, before)
        catalogues.refuse_taken(connection, draft.services)
        found = changes(before, draft.services)
        people = locked_out(connection, found, dutch_day(office.clock.now()), _progress)
        (_write_json if wants_json(context) else _write_lines)(draft, found, people)


def _progress(judged: int, found: int) -> None:
    click.echo(f"{judged} accounts judged, {found} found", err=True)


def _write_json(draft: Draft, found: Sequence[Change], people: Iterable["LockedOut"]) -> None:
    """One JSON document, written piece by piece: the list may be as long as the register."""
    facts = {"dry_run": True, "notes": list(draft.notes), "changes": [_change_facts(one) for one in found]}
    click.echo(json.dumps(facts, ensure_ascii=False)[:-1] + ', "locked_out": [', nl=False)
    for place, one in enumerate(people):
        click.echo(("" if place == 0 else ", ") + json.dumps(_person_facts(one), ensure_ascii=False), nl=False)
    click.echo("]}")


def _write_lines(draft: Draft, found: Sequence[Change], people: Iterable["LockedOut"]) -> None:
    for note in draft.notes:
        click.echo(note)
    for change in found:
        click.echo(f"{'new' if change.before is None else 'changed'}  {change.after.slug}")
        for one in change.differences if change.before is not None else ():
            click.echo(f"  {one.fact}: {_shown(one.before)} -> {_shown(one.after)}")
    if not found:
        click.echo("Nothing changes.")
    count = 0
    for person in people:
        count += 1
        click.echo(f"locked out  {_person_line(person)}")
    click.echo(f"{count} would be locked out. Nothing was loaded.")


def _person_line(one: "LockedOut") -> str:
    codes = " ".join(f"{code} {name}" for code, name in one.reasons)
    left = "" if one.entirely else "  (keeps other organisations)"
    who = f"{one.username}  {one.organisation.kvk} {one.organisation.name}"
    return f"{who}  {one.service.slug}  {codes}  from {one.day.isoformat()}{left}"


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _change_facts(change: Change) -> dict[str, Any]:
    return {
        "service": change.after.slug,
        "uuid": change.after.uuid,
        "instance_uuid": change.after.instance_uuid,
        "new": change.before is None,
        "differences": [{"fact": one.fact, "before": one.before, "after": one.after} for one in change.differences],
    }


def _person_facts(one: "LockedOut") -> dict[str, Any]:
    return {
        "username": one.username,
        "kvk": one.organisation.kvk,
        "organisation": one.organisation.name,
        "service": one.service.slug,
        "day": one.day.isoformat(),
        "reason": one.reasons[0][1],
        "code": one.reasons[0][0],
        "reasons": [name for _, name in one.reasons],
        "by_date": one.by_date,
        "entirely": one.entirely,
    }


COMMANDS = (catalogue,)
