"""What a portal answers, stated a second time in symbols: the oracle of one service asked twice, and its two answers.

The services are ``A``, which the case calls "this service", and ``B``, which it calls "another service".
"""

from typing import NamedTuple

from .oracle import LADDER, LEFT, ORDER, Case, Linked, Mandated, Verdict, verdict

# What a mandate speaks about, seen from the other service; both are of one provider.
SEEN_FROM_B = {
    "this service": "another service",
    "another service": "this service",
    "this provider": "this provider",
    "another provider": "another provider",
    "everything": "everything",
}


class Takes(NamedTuple):
    """What a portal or a service takes: logins for branches only, and intermediaries."""

    restricts: bool = True
    chains: bool = True


class Answer(NamedTuple):
    """A verdict, and which services it names."""

    verdict: Verdict
    services: str = ""


def answer(case: Case, portal: Takes, a: Takes, b: Takes) -> Answer:
    """What must be answered about a case at a portal for A and B, in that order."""
    seen = {"A": _asked(case, portal, a), "B": _asked(_from_b(case), portal, b)}
    said = {name: verdict(one) for name, one in seen.items()}
    granted = [(name, one) for name, one in said.items() if one.kind == "granted"]
    if granted:
        return _granted(granted)
    steps = [one for one in said.values() if one.kind == "step up"]
    if steps:
        return Answer(steps[0])
    best = said["A"]
    if _progress(said["B"]) > _progress(best):
        best = said["B"]
    return Answer(best)


def _granted(granted: list[tuple[str, Verdict]]) -> Answer:
    """The services that can stand side by side: at the branches that all leave, at the level that all reach."""
    name, first = granted[0]
    if len(granted) == 1:
        return Answer(first, name)
    other_name, other = granted[1]
    left = LEFT[first.branches, other.branches]
    if left is None:
        return Answer(first, name)
    level = first.level if LADDER[first.level] <= LADDER[other.level] else other.level
    used = first.used + tuple(one for one in other.used if one not in first.used)
    return Answer(Verdict("granted", level=level, branches=left, used=used), name + other_name)


def _progress(refused: Verdict) -> tuple[int, int]:
    return ORDER.index(refused.reasons[0]), -len(refused.reasons)


def _asked(case: Case, portal: Takes, service: Takes) -> Case:
    both = {"restricts": portal.restricts and service.restricts, "chains": portal.chains and service.chains}
    return case._replace(**both)


def _from_b(case: Case) -> Case:
    chain = tuple(Linked(_seen(link.mandate), link.halves) for link in case.chain)
    return case._replace(mandates=tuple(map(_seen, case.mandates)), chain=chain)


def _seen(mine: Mandated) -> Mandated:
    return mine._replace(scope=SEEN_FROM_B[mine.scope])
