"""What people are told about a refusal or an error, in their language, as pages print it.

The tables are ``reasons`` and ``errors``.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from flask import Flask
from flask_babel import format_date, format_datetime
from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from idp.domain.reasons import REASONS, Objection, Reason, Remedy
from idp.web.texts.errors import ERRORS, OTHER
from idp.web.texts.reasons import ATTRIBUTES, MISSING, OWNERS, REASON_TEXTS, REMEDY_TEXTS

Facts = Mapping[str, str]
_DAYS = frozenset({"from", "until", "last_used"})
# The opening hours of config/default.toml, listed here so that they have English.
PLACEHOLDERS = (_("maandag tot en met vrijdag van 9.00 tot 16.30 uur"),)
_PLACE = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that went wrong; ``field`` is the id of the form field it is about, or ``""``."""

    code: str
    title: str
    text: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class ReasonView:
    """A reason as a page prints it."""

    name: str
    code: str
    title: str
    sentence: str


@dataclass(frozen=True, slots=True)
class FactView:
    """What the service asks beside what the person has, on one subject."""

    label: str
    asked: str
    held: str


@dataclass(frozen=True, slots=True)
class RemedyView:
    """A way out; ``owner`` is ``you``, ``manager`` or ``us``; without ``href`` the text itself is the instruction."""

    name: str
    title: str
    text: str
    owner: str
    owner_label: str
    href: str
    action: str


@dataclass(frozen=True, slots=True)
class RefusalView:
    """A refusal as a page prints it: reasons and remedies in their order, the first one counts most."""

    reasons: tuple[ReasonView, ...]
    facts: tuple[FactView, ...]
    remedies: tuple[RemedyView, ...]


def install(app: Flask) -> None:
    """Give templates the filters ``day``, ``moment`` and ``exact``, which print a date and an instant in words."""
    app.jinja_env.filters["day"] = day
    app.jinja_env.filters["moment"] = moment
    app.jinja_env.filters["exact"] = exact


def problem(code: str, field: str | None = None, **facts: str) -> Problem:
    """What went wrong, by its code (features D.3, ``LOCKED``..., ``HTTP_404``...); general for an unknown one.

    ``facts`` fill the text: ``left`` for L02, ``time`` for L05, ``service`` for L07; without them it says less.
    """
    known = ERRORS.get(code, OTHER)
    return Problem(code, str(known.title), _filled(known.text, known.detail, facts), field or "")


def reason_view(reason: Reason, facts: Facts) -> ReasonView:
    """A reason with the facts of its objection, days in ISO 8601."""
    text = REASON_TEXTS[reason]
    spoken = _spoken(facts)
    return ReasonView(reason, REASONS[reason].code, str(text.title), _filled(text.sentence, text.detail, spoken))


def remedy_view(remedy: Remedy) -> RemedyView:
    """A remedy with its owner and the page that says what to do today (RUL-43)."""
    text = REMEDY_TEXTS[remedy]
    label = str(OWNERS[text.owner])
    return RemedyView(remedy, str(text.title), str(text.text), text.owner, label, text.href, str(text.action))


def refusal_view(objections: Iterable[Objection], asked_level: str) -> RefusalView:
    """What may be shown of a refusal; ``asked_level`` is a label such as ``EH3`` (F05, U-10)."""
    shown = tuple(objections)
    remedies = dict.fromkeys(remedy for one in shown for remedy in one.remedies)
    return RefusalView(
        tuple(reason_view(one.reason, one.facts) for one in shown),
        tuple(row for one in shown for row in _fact(one, asked_level)),
        tuple(remedy_view(remedy) for remedy in remedies),
    )


def attribute_label(name: str) -> str:
    """What people call an attribute, by its URN; the last part of the URN when we have no word for it."""
    last = name.rsplit(":", 1)[-1]
    return str(ATTRIBUTES.get(last, last))


def day(value: date) -> str:
    """A date in words: ``3 maart 2026``."""
    return str(format_date(value, "d MMMM yyyy"))


def moment(value: datetime) -> str:
    """An instant in words, in Dutch time: ``3 maart 2026 om 14.05 uur``."""
    return str(format_datetime(value, str(_("d MMMM yyyy 'om' HH.mm 'uur'"))))


def hour(value: datetime) -> str:
    """A time of today in words, in Dutch time: ``14.05 uur``."""
    return str(format_datetime(value, str(_("HH.mm 'uur'"))))


def exact(value: datetime) -> str:
    """An instant to the second, for the laboratory: ``3 maart 2026, 14:05:09``."""
    return str(format_datetime(value, "d MMMM yyyy, HH:mm:ss"))


def _fact(objection: Objection, asked_level: str) -> tuple[FactView, ...]:
    text = REASON_TEXTS[objection.reason]
    if text.fact is None:
        return ()
    spoken = {"asked": asked_level} | _spoken(objection.facts)
    label, asked, held = (_filled(part, None, spoken) for part in text.fact)
    return (FactView(label, asked, held),)


def _spoken(facts: Facts) -> dict[str, str]:
    """Facts in the person's language: days and halves of a chain in words, levels as they are."""
    spoken = dict(facts)
    for name in _DAYS & facts.keys():
        spoken[name] = day(date.fromisoformat(facts[name]))
    if "missing" in facts:
        spoken["missing"] = ", ".join(str(MISSING[half]) for half in facts["missing"].split())
    return spoken


def _filled(text: LazyString | str, detail: LazyString | str | None, facts: Facts) -> str:
    """``detail`` when every fact it names is known, else ``text``, with its places filled in."""
    known = {name: value for name, value in facts.items() if value}
    if detail is not None and known.keys() >= set(_PLACE.findall(str(detail))):
        text = detail
    return str(text) % known
