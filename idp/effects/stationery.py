"""Mails written from templates in the person's language, with Babel and without a web request (RUL-39)."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import partial
from html import escape
from pathlib import Path

from babel.dates import format_date, format_datetime, get_timezone
from babel.support import NullTranslations, Translations
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError

from idp.ports import MailRefused
from idp.settings import Brand, Settings, product_file

LANGUAGES = ("nl", "en")
_ZONE = "Europe/Amsterdam"
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
# The facts that are lists, a line each.
_LISTS = frozenset({"accounts"})
_STYLE = (
    "body{margin:0;padding:1.5rem 1rem;background:#f2f5f4;color:#14242b;font:16px/1.6 system-ui,Roboto,sans-serif}"
    "main{max-width:36rem;margin:auto;background:#fff;border:1px solid #cfd8d8;border-radius:12px;overflow:hidden}"
    "header{padding:1rem 2rem;background:#0a3d47;color:#fff;font-size:1.125rem;font-weight:700}div{padding:1rem 2rem}"
    "h1{font-size:1.5rem;line-height:1.25}a{color:#0b5563;overflow-wrap:anywhere}ul{padding-left:1.25rem}"
    "footer{margin-top:2rem;padding-top:1rem;border-top:1px solid #cfd8d8;color:#47585f}"
    "@media(prefers-color-scheme:dark){body{background:#0e171a;color:#e9f0f0}main{background:#162226;border-color:#2e3f45}"
    "a{color:#8fd9e1}footer{border-color:#2e3f45;color:#a9b9bd}}"
)


class Stationery:
    """Writes mails; the HTML says exactly what the plain text says."""

    def __init__(self, settings: Settings, translations: Path) -> None:
        self._base, self._brand = settings.server.base_url, settings.brand
        self._environments = {
            language: _environment(language, translations, settings.server.base_url, settings.brand)
            for language in LANGUAGES
        }

    def write(self, template: str, locale: str, facts: Mapping[str, str]) -> tuple[str, str, str]:
        """Subject, plain text and HTML of ``templates/mail/<template>.txt``; raises ``MailRefused``.

        Facts are one line each, but for lists; control characters are taken out (SEC-7).
        """
        language = locale if locale in LANGUAGES else LANGUAGES[0]
        clean = _clean(facts)
        try:
            page = self._environments[language].get_template(f"{template}.txt")
            context = page.new_context(clean)
            subject = " ".join("".join(page.blocks["subject"](context)).split())
            text = re.sub(r"\n{3,}", "\n\n", page.render(clean)).strip() + "\n"
        except (TemplateError, KeyError, TypeError, ValueError) as error:
            raise MailRefused("unwritable") from error
        return subject, text, self._html(language, subject, text)

    def _html(self, language: str, subject: str, text: str) -> str:
        body, _, foot = text.partition("\n-- \n")
        parts = "".join(self._part(part) for part in body.split("\n\n"))
        signed = "<br>".join(escape(line) for line in foot.strip().splitlines())
        return (
            f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{escape(subject)}</title>'
            f'<meta name="color-scheme" content="light dark"><style>{_STYLE}</style></head><body><main>'
            f"<header>{escape(self._brand.name)}</header><div><h1>{escape(subject)}</h1>{parts}"
            f"<footer>{signed}</footer></div></main></body></html>\n"
        )

    def _part(self, part: str) -> str:
        """A paragraph, a list where every line begins with a dash, or an address of ours that stands alone."""
        lines = part.strip().splitlines()
        if lines and all(line.startswith("- ") for line in lines):
            return f"<ul>{''.join(f'<li>{escape(line[2:])}</li>' for line in lines)}</ul>"
        if len(lines) == 1 and lines[0].startswith(f"{self._base}/"):
            return f'<p><a href="{escape(lines[0])}">{escape(lines[0])}</a></p>'
        return f"<p>{'<br>'.join(escape(line) for line in lines)}</p>" if lines else ""


def stationery(settings: Settings) -> Stationery:
    """The stationery of the product."""
    return Stationery(settings, Path(__file__).parents[1] / "translations")


def _environment(language: str, translations: Path, base_url: str, brand: Brand) -> Environment:
    """Templates of plain text: nothing in them is markup, and the HTML is escaped when it is made."""
    words: NullTranslations = Translations.load(str(translations), [language])
    made = Environment(
        loader=FileSystemLoader(product_file("templates", "mail")),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701  # plain text
        trim_blocks=True,
        keep_trailing_newline=True,
    )

    def say(text: str, **values: object) -> str:
        return words.gettext(text) % values

    made.globals |= {"_": say, "brand": brand, "base_url": base_url}
    made.filters["moment"] = lambda text: format_datetime(
        datetime.fromisoformat(text),
        say("d MMMM yyyy 'om' HH.mm 'uur'"),
        tzinfo=get_timezone(_ZONE),
        locale=language,
    )
    made.filters["entries"] = lambda text: [_clean(one) for one in json.loads(text)]
    made.globals |= {"part": partial(_part, made), "parts": partial(_each_once, made)}
    made.filters["day"] = lambda text: format_date(date.fromisoformat(text), "d MMMM yyyy", locale=language)
    return made


def _clean(facts: Mapping[str, str]) -> dict[str, str]:
    """Facts without control characters, so that none begins a line or a paragraph of its own."""
    lines = {name: value.split("\n") if name in _LISTS else [value] for name, value in facts.items()}
    return {name: "\n".join(_CONTROL.sub(" ", line) for line in found) for name, found in lines.items()}


def _part(made: Environment, facts: Mapping[str, str], block: str) -> str:
    """One block of the text of a notice."""
    page, usual = made.get_template(f"{facts['notice']}.txt"), made.get_template("notice.txt")
    write = page.blocks.get(block, usual.blocks[block])
    return "".join(write(page.new_context(dict(facts)))).strip()


def _each_once(made: Environment, all_facts: Sequence[Mapping[str, str]], block: str) -> list[str]:
    """One block of several notices; what is the same is said once."""
    return [text for text in dict.fromkeys(_part(made, one, block) for one in all_facts) if text]
