"""The rules that code and tests cite, and the page on which they stand."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "rules.md"
RULE = re.compile(r'^- <a id="([^"]+)"></a>\*\*([^*]+)\*\* (\S.*)$')
LETTERS = "LOA|AD|MR|LR|RUL|SEC|SIG|ENC|EC|RA|RC|PS|SR|[ABEFGKMOPSU]"
CITED = re.compile(
    rf"(?<![\w-])(?:(?P<rule>(?:{LETTERS})-[0-9]{{1,2}}|F[0-9]{{2}}b?|A\.2|GUC[0-9])(?![\w-])"
    r"|(?:EH-)?(?P<code>[DLRAVP][0-9]{2})(?!\w)"
    r"|(?P<section>domain [0-9]+(?:\.[0-9]+)*|architecture [0-9]+|features [A-Z]\.?[0-9]+)(?!\w))"
)
FAMILIES = {
    "F": 58, "LOA": 11, "AD": 5, "MR": 7, "B": 6, "M": 12, "K": 8, "LR": 4, "SR": 9, "PS": 9, "O": 7, "S": 11, "A": 7,
    "E": 11, "P": 7, "G": 10, "RA": 5, "ENC": 9, "SIG": 9, "EC": 6, "RC": 10, "U": 16, "RUL": 44, "SEC": 45,
}  # fmt: skip


def rules() -> list[tuple[str, str, str]]:
    """Anchor, name and sentence of each rule of the page."""
    found = [RULE.match(line) for line in PAGE.read_text().splitlines() if line.startswith("- ")]
    assert all(found), "a line of the page that begins like a rule is none"
    return [match.groups() for match in found if match]  # type: ignore[misc]


def words(path: Path) -> Iterator[tuple[int, str]]:
    """The comments and docstrings of a file with their lines."""
    source = path.read_text()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node, clean=False)
            if text:
                yield node.body[0].lineno, text


def cited(text: str) -> set[str]:
    """The anchors that a text cites."""
    return {match[match.lastgroup or 0].replace(" ", "-") for match in CITED.finditer(text)}


@pytest.mark.parametrize("folder", ["idp", "tests"])
def test_every_rule_that_is_cited_stands_on_the_page(folder: str) -> None:
    """RUL-42: whoever meets a letter and a number in the code finds its sentence in docs/rules.md."""
    anchors = {anchor for anchor, _, _ in rules()}
    unknown = [
        f"{path.relative_to(ROOT)}:{line} cites {name}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line, text in words(path)
        for name in sorted(cited(text) - anchors)
    ]
    assert unknown == []


def test_every_rule_stands_on_the_page_once() -> None:
    """RUL-42: one anchor, one name, one line, and the name is the anchor."""
    anchors = [anchor for anchor, _, _ in rules()]
    assert len(set(anchors)) == len(anchors)
    assert [name.replace(" ", "-") for _, name, _ in rules()] == anchors


@pytest.mark.parametrize(("letters", "last"), FAMILIES.items(), ids=str)
def test_no_rule_is_missing_from_its_family(letters: str, last: int) -> None:
    """RUL-42: every number from the first to the last has its sentence."""
    form = "F{:02}" if letters == "F" else letters + "-{}"
    assert {form.format(number) for number in range(1, last + 1)} <= {anchor for anchor, _, _ in rules()}


def test_a_citation_is_recognised_where_it_stands_and_nowhere_else() -> None:
    """The search finds every form of a citation, and no curve, digest or host name in its place."""
    text = "F05, F23b (LOA-8; RUL-15): SEC-3 as in domain 13.5, EH-D04, L03, A.2, GUC4 and features D.3."
    assert cited(text) == {
        "F05", "F23b", "LOA-8", "RUL-15", "SEC-3", "domain-13.5", "D04", "L03", "A.2", "GUC4", "features-D.3",
    }  # fmt: skip
    assert cited("SHA-1, SHA-256, P-256, UTF-8, AES-256, EH3-DEMO, RVO-3, X-F05, S-100, PS256, ES-256, D123") == set()
