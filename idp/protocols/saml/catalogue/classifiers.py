"""Facts of ours about a service, as Classifiers of its instance: the scheme has no place for them (domain 5.2)."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Final

from idp.domain.parties import Service

_SLUG: Final = "idp:slug"
_CHAINS: Final = "idp:chains"
_ALLOW_LOWER: Final = "idp:allow-lower"
_ENFORCED_FROM: Final = "idp:enforced-from"


def write_classifiers(service: Service) -> Iterator[str]:
    """What the scheme leaves open, so that nothing is lost on the way through XML."""
    yield f"{_SLUG}={service.slug}"
    if service.chains:
        yield _CHAINS
    if service.allow_lower:
        yield _ALLOW_LOWER
    if service.enforced_from is not None:
        yield f"{_ENFORCED_FROM}={service.enforced_from.isoformat()}"


def read_classifiers(classifiers: Sequence[str]) -> dict[str, Any]:
    """The same facts by their names in our file, none where there is no name of ours; raises ``ValueError``."""
    stated = dict(one.partition("=")[::2] for one in classifiers)
    if _SLUG not in stated:
        return {}
    facts = {"slug": stated[_SLUG], "chains": _CHAINS in stated, "allow_lower": _ALLOW_LOWER in stated}
    day = stated.get(_ENFORCED_FROM)
    return facts if day is None else facts | {"enforced_from": _day(day)}


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"the date {text[:32]!r} is not written year-month-day") from None
