"""Dutch and English are complete."""

from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from tests.hygiene.tree import ROOT, name

_CATALOGUES = sorted((ROOT / "idp").rglob("LC_MESSAGES/*.po"))
_ENGLISH = ROOT / "idp/translations/en/LC_MESSAGES/messages.po"
_METHODS = [("idp/**.py", "python"), ("templates/**.html", "jinja2"), ("templates/**.txt", "jinja2")]
_KEYWORDS = {
    "_": None,
    "gettext": None,
    "lazy_gettext": None,
    "N_": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
}


def _read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.parents[1].name)


def _messages(path: Path) -> list[Message]:
    return [message for message in _read(path) if message.id]


@pytest.mark.parametrize("path", [_ENGLISH], ids=name)
def test_every_text_is_translated(path: Path) -> None:
    """The English catalogue has a finished translation of every text it lists, in all plural forms."""
    messages = _messages(path)
    assert messages
    assert [message.id for message in messages if message.fuzzy] == []
    assert [message.id for message in messages if not _is_translated(message)] == []


@pytest.mark.parametrize("path", [_ENGLISH], ids=name)
def test_translations_keep_their_places_to_fill_in(path: Path) -> None:
    """A translation names exactly the placeholders of its original."""
    assert [(message.id, error) for message in _messages(path) for error in message.check()] == []


def test_the_compiled_catalogue_is_the_written_one() -> None:
    """The compiled catalogue, which is what pages use, says what the written one says."""
    with _ENGLISH.with_suffix(".mo").open("rb") as file:
        compiled = read_mo(file)
    texts = {_id(message): message.string for message in compiled if message.id}
    assert texts == {_id(message): message.string for message in _messages(_ENGLISH)}


def test_every_text_of_the_product_is_listed() -> None:
    """Every text that code or a template marks as such stands in the English catalogue."""
    listed = {_id(message) for message in _messages(_ENGLISH)}
    missing = []
    for file, line, text, _comments, _context in extract_from_dir(
        str(ROOT), _METHODS, keywords=_KEYWORDS, options_map={"**": {"silent": "false"}}, directory_filter=_is_ours
    ):
        original = text if isinstance(text, str) else text[0]
        if original and original not in listed:
            missing.append(f"{file}:{line}: {original}")
    assert missing == []


def _is_ours(folder: str) -> bool:
    return Path(folder).name not in {".venv", ".git", "node_modules", "tests", "docs", "config"}


def _id(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _is_translated(message: Message) -> bool:
    forms = message.string if isinstance(message.string, tuple | list) else [message.string]
    return all(forms)
