"""The requirements of a conformance profile, each tied to the tests that prove it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

_Test = TypeVar("_Test", bound=Callable[..., None])


@dataclass(frozen=True)
class Profile:
    """A profile by name, and its requirements: id to section and text in our own words.

    A test names what it proves by ``@PROFILE.proves("id", ...)``; each file ends with a test that nothing of
    ``unproven()`` is left.
    """

    name: str
    requirements: Mapping[str, tuple[str, str]]
    proven: dict[str, list[str]] = field(default_factory=dict)

    def proves(self, *ids: str) -> Callable[[_Test], _Test]:
        """Mark a test with the requirements it proves; raises ``KeyError`` for one that is not in the list."""
        for one in ids:
            self.requirements[one]

        def mark(test: _Test) -> _Test:
            for one in ids:
                self.proven.setdefault(one, []).append(test.__name__)
            return test

        return mark

    def unproven(self) -> list[str]:
        """The requirements that no test proves."""
        return [
            f"{one} ({section}): {text}" for one, (section, text) in self.requirements.items() if one not in self.proven
        ]
