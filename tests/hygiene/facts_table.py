"""``python -m tests.hygiene.facts_table``: write docs/facts.md, every fact of today's business with its tests."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.hygiene.tree import ROOT

FILE = ROOT / "docs" / "facts.md"
_RULE = re.compile(r'^- <a id="F(\d\d)"></a>\*\*F\d\d\*\* (.+)$', re.MULTILINE)
_ANCHOR = re.compile(r"\bF(\d\d)\b")
_NAMED = re.compile(r"test_f(\d\d)_")
_HEAD = """# What the business does today, and what proves that we do it

Written by `python -m tests.hygiene.facts_table` from docs/rules.md and the tests; a test compares them. A fact is
*built* when tests are named after it (`test_f39_...`), *in part* when tests only mention it, and *not yet* otherwise.

| Fact | Status | Tests |
| --- | --- | --- |
"""


def facts() -> dict[str, str]:
    """Each fact by its two digits, as docs/rules.md says it."""
    return dict(_RULE.findall((ROOT / "docs" / "rules.md").read_text()))


def document() -> str:
    """The page as it should be."""
    named, mentioned = _places()
    rows = (_row(number, said, named[number], mentioned[number]) for number, said in sorted(facts().items()))
    return _HEAD + "".join(rows)


def _row(number: str, said: str, named: set[str], mentioned: set[str]) -> str:
    status = "built" if named else "in part" if mentioned else "not yet"
    where = ", ".join(f"`{one}`" for one in sorted(named or mentioned))
    return f"| [F{number}](rules.md#F{number}) {said} | {status} | {where} |\n"


def _places() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Files of tests by the facts that their tests are named after, and by those they mention."""
    named, mentioned = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        where = str(path.relative_to(ROOT / "tests"))
        if where.startswith("hygiene"):
            continue
        for test in _tests(path):
            for number in _NAMED.findall(test.name):
                named[number].add(where)
            for number in _ANCHOR.findall(ast.get_docstring(test) or ""):
                mentioned[number].add(where)
    return named, mentioned


def _tests(path: Path) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node


if __name__ == "__main__":
    FILE.write_text(document())
