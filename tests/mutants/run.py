"""Plant every fault, run the unit tests on each, and say which ones nobody noticed."""

import importlib.abc
import importlib.machinery
import os
import signal
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.mutants.faults import Fault, faults_of

ROOT = Path(__file__).parents[2]
SECONDS = 600
# The tests that must notice a fault in each module, the quick ones first.
WATCHED = {
    "decision": ("decision_tables", "several_means", "decision_enumerated"),
    "portal": ("portals", "portal_enumerated"),
    "mandates": ("mandates", "decision_tables", "objections", "decision_enumerated"),
    "means": ("means", "several_means", "decision_tables"),
    "objections": ("objections", "decision_tables"),
    "login": ("login_order", "single_sign_on"),
    "otp": ("otp",),
    "throttle": ("throttle",),
    "demand": ("demand",),
    "assurance": ("assurance",),
}
MODULES = tuple(WATCHED)
QUIET = ("-o", "addopts=--import-mode=importlib", "--noconftest", "-p", "no:cacheprovider", "-p", "no:terminal")


@dataclass(frozen=True, slots=True)
class Trial:
    """A fault and whether a test noticed it."""

    fault: Fault
    noticed: bool


def faults(modules: Iterable[str]) -> list[Fault]:
    """Every fault of these modules."""
    return [fault for module in modules for fault in faults_of(module, _path(module).read_text())]


def trials(planted: list[Fault], seen: Callable[[Trial], None]) -> None:
    """Try every fault; ``seen`` hears of each trial as it ends. The tests are collected once, for all trials."""
    pytest.main([*QUIET, *_files(fault.module for fault in planted)], plugins=[_Trials(planted, seen)])


def _path(module: str) -> Path:
    return ROOT / "idp" / "domain" / f"{module}.py"


def _files(modules: Iterable[str]) -> list[str]:
    return [f"tests/unit/test_{name}.py" for name in dict.fromkeys(name for one in modules for name in WATCHED[one])]


@dataclass
class _Trials:
    """Runs the collected tests once for each fault, each time in a process of its own."""

    planted: list[Fault]
    seen: Callable[[Trial], None]
    running: dict[int, Fault] = field(default_factory=dict)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Take the place of the one run that pytest would do."""
        if session.testsfailed:
            raise session.Failed("the tests could not be collected")
        for fault in self.planted:
            if len(self.running) >= (os.cpu_count() or 1):
                self._wait()
            child = os.fork()
            if child == 0:
                _in_child(fault, session)
            self.running[child] = fault
        while self.running:
            self._wait()
        return True

    def _wait(self) -> None:
        child, status = os.wait()
        self.seen(Trial(self.running.pop(child), status != 0))


def _in_child(fault: Fault, session: pytest.Session) -> None:
    """Run the tests of the module on the fault, and leave with their verdict: any crash or endless run notices it."""
    signal.alarm(SECONDS)
    verdict = 1
    try:
        verdict = _swapped(fault, session) if fault.in_body else _anew(fault)
    finally:
        os._exit(verdict)


def _swapped(fault: Fault, session: pytest.Session) -> int:
    """Exchange the code of the one function in the modules that are loaded already."""
    module = sys.modules[f"idp.domain.{fault.module}"]
    code = dict(_codes(compile(fault.source, "<fault>", "exec")))
    for function in _functions(vars(module)):
        if function.__module__ == module.__name__ and function.__qualname__ in code:
            function.__code__ = code[function.__qualname__]
    wanted = {f"test_{name}.py": place for place, name in enumerate(WATCHED[fault.module])}
    items = [item for item in session.items if item.path.name in wanted]
    items.sort(key=lambda item: wanted[item.path.name])
    for place, item in enumerate(items):
        following = items[place + 1] if place + 1 < len(items) else None
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            return 1
    return 0


def _codes(code: types.CodeType) -> Iterator[tuple[str, types.CodeType]]:
    """Every code object within another, by the name of its function."""
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield constant.co_qualname, constant
            yield from _codes(constant)


def _functions(names: Iterable[object] | dict[str, object]) -> Iterator[types.FunctionType]:
    """Every function of a module and of its classes."""
    for value in list(dict(names).values()):
        if isinstance(value, property):
            value = value.fget
        if isinstance(value, types.FunctionType):
            yield value
        elif isinstance(value, type) and value.__module__.startswith("idp.domain"):
            yield from _functions({name: one for name, one in vars(value).items() if not isinstance(one, type)})


class _Planted(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module out with its fault."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault

    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Claim the module of the fault and no other."""
        if fullname != f"idp.domain.{self.fault.module}":
            return None
        return importlib.machinery.ModuleSpec(fullname, self)

    def exec_module(self, module: types.ModuleType) -> None:
        """Run the source with the fault in it."""
        exec(compile(self.fault.source, "<fault>", "exec"), module.__dict__)


def _anew(fault: Fault) -> int:
    """Load the rules and their tests anew, with the fault among what runs as a module is loaded."""
    for name in [name for name in sys.modules if name.startswith(("idp", "tests.unit"))]:
        del sys.modules[name]
    sys.meta_path.insert(0, _Planted(fault))
    return int(pytest.main(["-x", *QUIET, *_files([fault.module])]) != pytest.ExitCode.OK)
