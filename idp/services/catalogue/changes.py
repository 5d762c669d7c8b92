"""What a catalogue file would change: entry by entry, fact by fact."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from idp.domain.parties import Service, behind
from idp.services.catalogue.loading import as_data


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact of a service before and after, as plain data; ``before`` is None throughout for a new service."""

    fact: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Change:
    """A service that a file adds or changes; ``before`` is None for a new one.

    ``led_to`` are the services behind it before and after, where it is a portal.
    """

    before: Service | None
    after: Service
    differences: tuple[Difference, ...]
    led_to: tuple[tuple[Service, ...], tuple[Service, ...]] = ((), ())


def changes(before: Sequence[Service], after: Sequence[Service]) -> tuple[Change, ...]:
    """What loading ``after`` into a catalogue of ``before`` changes; what it does not name stays, so is no change."""
    known = {one.instance_uuid: one for one in before}
    together = known | {one.instance_uuid: one for one in after}
    found = []
    for one in after:
        old = known.get(one.instance_uuid)
        differences = tuple(_differences(old, one))
        if differences:
            then = () if old is None else behind(old, before)
            found.append(Change(old, one, differences, (then, behind(one, together.values()))))
    return tuple(found)


def _differences(before: Service | None, after: Service) -> Iterator[Difference]:
    old = {} if before is None else _facts(before)
    new = _facts(after)
    for fact in {**old, **new}:
        if old.get(fact) != new.get(fact):
            yield Difference(fact, old.get(fact), new.get(fact))


def _facts(service: Service) -> dict[str, Any]:
    """Every fact but the one that says another in other words."""
    return _flat({key: value for key, value in as_data(service).items() if key != "level_urn"})


def _flat(facts: dict[str, Any], above: str = "") -> dict[str, Any]:
    """Nested texts by names like ``name.nl``."""
    flat: dict[str, Any] = {}
    for key, value in facts.items():
        flat |= _flat(value, f"{above}{key}.") if isinstance(value, dict) else {f"{above}{key}": value}
    return flat
