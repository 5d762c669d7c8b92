"""Whether every check of the XML core is needed: ``python -m tests.fuzz.signature_mutants [MODULE...]``.

Each condition that leads to a refusal, and each part of such a condition, is taken out by itself in a copy of the
tree; then at least one test of the XML core must fail. What survives is printed, and the exit code says so.
"""

import ast
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
TESTS = ("profile", "keys", "wrapping", "canonical", "parser", "redirect", "encryption")
# Each module with the tests most likely to fail, which are run first.
MODULES = {
    "xmlsec/xml": "parser",
    "xmlsec/signature": "profile",
    "xmlsec/algorithms": "keys",
    "request/redirect": "redirect",
    "xmlsec/decryption": "encryption",
    "xmlsec/signing": "canonical",
}


def mutants(module: str) -> Iterator[tuple[str, str, str]]:
    """Module, name and text of every mutant."""
    source = (ROOT / _path(module)).read_text()
    for number, guard in enumerate(_guards(ast.parse(source))):
        for change in _changes(guard.test):
            tree = ast.parse(source)
            node = list(_guards(tree))[number]
            before = ast.unparse(node.test)
            node.test = change(node.test)
            yield module, f"{module}:{node.lineno} {before}  ->  {ast.unparse(node.test)}", ast.unparse(tree)


def _path(module: str) -> str:
    return f"idp/protocols/saml/{module}.py"


def _guards(tree: ast.Module) -> Iterator[ast.If]:
    """Every ``if`` whose body refuses."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and any(isinstance(part, ast.Raise) or _refuses(part) for part in node.body):
            yield node


def _refuses(node: ast.stmt) -> bool:
    call = node.value if isinstance(node, ast.Expr) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "_refuse"


def _changes(test: ast.expr) -> list[Callable[[ast.expr], ast.expr]]:
    parts = len(test.values) if isinstance(test, ast.BoolOp) else 0
    return [lambda _: ast.Constant(False), *map(_without, range(parts))]


def _without(index: int) -> Callable[[ast.expr], ast.expr]:
    def change(test: ast.expr) -> ast.expr:
        if not isinstance(test, ast.BoolOp):
            raise TypeError("no parts")
        kept = [value for place, value in enumerate(test.values) if place != index]
        return kept[0] if len(kept) == 1 else ast.BoolOp(test.op, kept)

    return change


def survives(module: str, text: str) -> bool:
    """Whether all tests pass with the mutant in place."""
    with TemporaryDirectory() as folder:
        copy = Path(folder)
        leave = shutil.ignore_patterns("__pycache__", "node_modules")
        for part in ("idp", "tests"):
            shutil.copytree(ROOT / part, copy / part, ignore=leave)
        shutil.copy(ROOT / "pyproject.toml", copy)
        (copy / _path(module)).write_text(text)
        order = sorted(TESTS, key=lambda test: test != MODULES[module])
        suite = [f"tests/protocol/test_signature_{test}.py" for test in order]
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *suite]
        return subprocess.run(command, cwd=copy, capture_output=True, check=False).returncode == 0


def main(chosen: list[str]) -> int:
    """Run all mutants, two at a time; 1 when any survived, 2 when nothing can be said."""
    if not survives("xmlsec/signature", (ROOT / _path("xmlsec/signature")).read_text()):
        print("the tests fail without any mutant", file=sys.stderr)
        return 2
    found = [one for module in chosen or MODULES for one in mutants(module)]
    with ThreadPoolExecutor(2) as pool:
        verdicts = list(pool.map(lambda one: survives(one[0], one[2]), found))
    alive = [name for (_, name, _), verdict in zip(found, verdicts, strict=True) if verdict]
    print(f"{len(found)} mutants, {len(alive)} survived")
    for name in alive:
        print(f"  {name}")
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
