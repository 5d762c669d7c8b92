"""A life as a table of transitions."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

State = TypeVar("State", bound=StrEnum)
Event = TypeVar("Event", bound=StrEnum)


class IllegalTransitionError(Exception):
    """An event that this state does not know: a fault of ours, never of the person."""


@dataclass(frozen=True, slots=True)
class Lifecycle(Generic[State, Event]):
    """Which event leads from which state to which."""

    start: State
    transitions: Mapping[tuple[State, Event], State]

    def after(self, state: State, event: Event) -> State:
        """The state that follows; raises ``IllegalTransitionError``."""
        try:
            return self.transitions[state, event]
        except KeyError:
            raise IllegalTransitionError(f"{event} in {state}") from None

    def mermaid(self) -> str:
        """The table as a state diagram."""
        rows = [f"    {old} --> {new}: {event}" for (old, event), new in self.transitions.items()]
        return "\n".join(["stateDiagram-v2", f"    [*] --> {self.start}", *rows])
