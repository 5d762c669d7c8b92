"""What a person filled in: read field by field, with what is wrong at each, keeping what was typed except secrets."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from idp.web.texts.told import Problem, problem

LONGEST = 200


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form, under the name and id it has on the page.

    ``read`` answers the value as the product uses it, or None for what cannot be one; ``missing`` and ``wrong`` are
    codes of ``idp.web.texts.errors``. An optional field that is left empty reads as ``""``. What is typed into a secret
    field is never sent back (SEC-8, D.1).
    """

    name: str
    read: Callable[[str], str | None] = str.strip
    missing: str = "MISSING"
    wrong: str = "MALFORMED"
    optional: bool = False
    secret: bool = False
    longest: int = LONGEST


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it came in: ``values`` of the right fields, ``typed`` to show again, ``problems`` in order."""

    values: Mapping[str, str] = field(default_factory=dict)
    typed: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def __getitem__(self, name: str) -> str:
        """The value of a field; ``""`` when it was left out or wrong."""
        return self.values.get(name, "")

    def at(self, name: str) -> Problem | None:
        """What is wrong with one field."""
        return next((one for one in self.problems if one.field == name), None)

    def fail(self, code: str, name: str = "", **facts: str) -> "Filled":
        """The same form with something wrong that only the product could see; ``name`` is the field or empty."""
        return replace(self, problems=(*self.problems, problem(code, name, **facts)))


EMPTY = Filled()


def showing(**typed: str) -> Filled:
    """A form that nobody has sent yet, with what its fields hold beforehand."""
    return Filled(typed=typed)


def read(form: Mapping[str, str], fields: Iterable[Field]) -> Filled:
    """The fields of a form and no others (SEC-8); every wrong one is told, not only the first."""
    filled = EMPTY
    for one in fields:
        filled = _with(filled, one, form.get(one.name, ""))
    return filled


def _with(filled: Filled, one: Field, text: str) -> Filled:
    if not one.secret:
        filled = replace(filled, typed={**filled.typed, one.name: text[: one.longest]})
    if not text.strip():
        return filled if one.optional else filled.fail(one.missing, one.name)
    value = one.read(text) if len(text) <= one.longest else None
    if value is None:
        return filled.fail(one.wrong, one.name)
    return replace(filled, values={**filled.values, one.name: value})
