"""Templates print, and tests can hold on to what they print."""

import re
from pathlib import Path

import pytest

from tests.hygiene.tree import ROOT, name

_TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
_TAG = re.compile(r"<(?P<tag>[a-z]+)\b(?P<rest>(?:\{\{.*?\}\}|\{%.*?%\}|[^>])*)>", re.DOTALL)
_CONTROLS = {"button", "input", "select", "textarea", "form", "summary"}


def _tags(path: Path) -> list[tuple[str, str]]:
    text = _COMMENT.sub("", path.read_text())
    return [(match["tag"], match["rest"]) for match in _TAG.finditer(text)]


@pytest.mark.parametrize("path", _TEMPLATES, ids=name)
def test_every_control_has_a_stable_name(path: Path) -> None:
    """Every form, field and button carries a data-testid (contract, Pages)."""
    nameless = [
        f"<{tag}{rest}>"
        for tag, rest in _tags(path)
        if tag in _CONTROLS and "data-testid=" not in rest and 'type="hidden"' not in rest
    ]
    assert nameless == []


@pytest.mark.parametrize("path", _TEMPLATES, ids=name)
def test_nothing_needs_an_inline_style_or_handler(path: Path) -> None:
    """No template holds an inline style or event handler, which our content security policy refuses."""
    inline = [rest for _tag, rest in _tags(path) if re.search(r"(?<![\w-])(style|on[a-z]+)\s*=", rest)]
    assert inline == []


@pytest.mark.parametrize("path", _TEMPLATES, ids=name)
def test_nothing_escapes_the_escaping(path: Path) -> None:
    """No template switches off escaping."""
    assert not re.search(r"\|\s*safe\b|autoescape\s+false", _COMMENT.sub("", path.read_text()))


@pytest.mark.parametrize("path", _TEMPLATES, ids=name)
def test_nothing_comes_from_elsewhere(path: Path) -> None:
    """No style, script, font or picture of a page comes from another host."""
    loaded = [rest for tag, rest in _tags(path) if tag in {"link", "script", "img", "iframe", "source"}]
    assert [rest for rest in loaded if re.search(r"(?:src|href)=\"(?:https?:)?//", rest)] == []


@pytest.mark.parametrize("path", _TEMPLATES, ids=name)
def test_every_page_has_a_name(path: Path) -> None:
    """A template that is a page sets the fixed name that stands in data-page."""
    text = _COMMENT.sub("", path.read_text())
    is_page = re.search(r"\{% extends ", text) and not re.search(r"\{%-? *block card *-?%\}\{%-? *endblock", text)
    assert not is_page or re.search(r"\{%-? *set page *=", text)
