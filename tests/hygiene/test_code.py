"""The size and the shape of the code."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.hygiene.tree import ROOT, functions, modules, name

_LONGEST_FILE = 300
_LONGEST_FUNCTION = 40
_PRODUCT = [path for path in modules("idp") if path.parent.name != "versions"]
_TESTS = [path for path in modules("tests") if path.name.startswith("test_")]
_FICKLE = re.compile(r"(^|\.)(time|time_ns|now|today|uuid[14]|urandom|token_\w+|random|randint)$")
_VAGUE = re.compile(r"(utils?|helpers?|managers?|handlers?|misc|common_utils)$")


@pytest.mark.parametrize("path", _PRODUCT, ids=name)
def test_a_file_is_one_noun(path: Path) -> None:
    """No file of the product but a migration, which is history, exceeds 300 lines; every name says something."""
    assert len(path.read_text().splitlines()) <= _LONGEST_FILE
    assert not _VAGUE.search(path.stem)


@pytest.mark.parametrize("path", _PRODUCT, ids=name)
def test_a_function_is_one_verb(path: Path) -> None:
    """No function of the product but a migration exceeds 40 lines, its docstring included."""
    long = {
        node.name: node.end_lineno - node.lineno + 1
        for node in functions(path)
        if node.end_lineno and node.end_lineno - node.lineno >= _LONGEST_FUNCTION
    }
    assert long == {}


@pytest.mark.parametrize("path", modules("idp"), ids=name)
def test_a_module_says_in_its_first_sentence_what_it_is(path: Path) -> None:
    """Every module opens with a docstring whose first paragraph is one closed sentence."""
    text = ast.get_docstring(ast.parse(path.read_text()))
    assert text is not None
    assert text.split("\n\n")[0].rstrip().endswith((".", "?"))


def test_migrations_do_not_import_the_product() -> None:
    """A migration names plain column types, so that history never changes with the code."""
    found = [
        name(path)
        for path in (ROOT / "idp/store/migrations/versions").glob("*.py")
        if re.search(r"^\s*(from|import) idp\b", path.read_text(), re.MULTILINE)
    ]
    assert found == []


@pytest.mark.parametrize("path", _TESTS, ids=name)
def test_every_test_states_its_claim(path: Path) -> None:
    """Every test has a docstring of one sentence, and none is skipped or expected to fail."""
    tests = [node for node in functions(path) if node.name.startswith("test_")]
    silent = [node.name for node in tests if not _is_claim(ast.get_docstring(node))]
    assert silent == []
    shirking = [ast.unparse(mark) for node in tests for mark in node.decorator_list if _shirks(ast.unparse(mark))]
    assert shirking == []


@pytest.mark.parametrize("path", _TESTS, ids=name)
def test_every_test_can_fail(path: Path) -> None:
    """Every test asserts something: itself, or through a function that it calls."""
    vain = [
        node.name
        for node in functions(path)
        if node.name.startswith("test_") and not any(_asserts(part) for part in ast.walk(node))
    ]
    assert vain == []


@pytest.mark.parametrize("path", _TESTS, ids=name)
def test_a_test_is_called_the_same_in_every_process(path: Path) -> None:
    """No case of a test is made of the time or of chance, as processes that share the tests would not agree on it."""
    fickle = [
        ast.unparse(call)
        for node in functions(path)
        for mark in node.decorator_list
        for call in ast.walk(mark)
        if isinstance(call, ast.Call) and _FICKLE.search(ast.unparse(call.func))
    ]
    assert fickle == []


def _is_claim(text: str | None) -> bool:
    return text is not None and "\n\n" not in text and text.rstrip().endswith(".")


def _shirks(mark: str) -> bool:
    return bool(re.search(r"\b(skip|skipif|xfail)\b", mark))


def _asserts(node: ast.AST) -> bool:
    return isinstance(node, ast.Assert) or (isinstance(node, ast.Call) and _called(node) in _asserting())


@cache
def _asserting() -> frozenset[str]:
    """The names of what fails by itself: pytest's, Hypothesis's, and functions of ours that assert."""
    ours = (node for path in modules("tests") for node in functions(path))
    names = {node.name for node in ours if any(isinstance(part, ast.Assert) for part in ast.walk(node))}
    return frozenset(names | {"raises", "fail", "run_state_machine_as_test", "raise_for_status"})


def _called(node: ast.Call) -> str:
    return ast.unparse(node.func).rpartition(".")[2] if isinstance(node.func, ast.Name | ast.Attribute) else ""
