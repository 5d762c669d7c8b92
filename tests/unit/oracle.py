"""The decision, stated a second time in symbols: tables and words of its own, nothing shared with idp.

A case is written in plain strings; ``decision_cases`` turns it into values of the domain. Levels are ``EH1`` to
``EH4``, proofs and possessions are letters (``p`` password, ``o`` code, ``c`` certificate), branches ``X`` and ``Y``.
"""

from functools import cache
from typing import NamedTuple

LADDER = {"EH1": 1, "EH2": 2, "EH2+": 3, "EH3": 4, "EH4": 5}

# RUL-5, word for word the order in which reasons stand.
ORDER = (
    "NO_MEANS",
    "MEANS_NOT_ACTIVATED",
    "MEANS_EXPIRED",
    "MEANS_REVOKED",
    "UPGRADE_IN_PROGRESS",
    "ORGANISATION_ENDED",
    "ACCESS_PAUSED",
    "LEVEL_TOO_LOW",
    "NO_RESPONDER",
    "CERTIFICATE_REFUSED",
    "BRANCH_REGISTRATION",
    "OTHER_BRANCH",
    "NO_MANDATE",
    "MANDATE_EXPIRED",
    "MANDATE_DORMANT",
    "MANDATE_LEVEL_TOO_LOW",
    "CHAIN_INCOMPLETE",
)
# RUL-11: what may be shown when only the password was proven.
SHOWN_AFTER_PASSWORD = frozenset(ORDER[:10])

# What a session proved, by the letters of its proofs; without a password it proved nothing.
PROVEN = {"p": "EH2", "po": "EH3", "pc": "EH4", "poc": "EH4"}
# The proof that is still missing, by the level asked and the proofs given.
MISSING = {
    "EH1": {"p": "", "po": "", "pc": "", "poc": ""},
    "EH2": {"p": "", "po": "", "pc": "", "poc": ""},
    "EH2+": {"p": "o", "po": "", "pc": "", "poc": ""},
    "EH3": {"p": "o", "po": "", "pc": "", "poc": ""},
    "EH4": {"p": "c", "po": "c", "pc": "", "poc": ""},
}
LACKING = {"o": "NO_RESPONDER", "c": "CERTIFICATE_REFUSED"}

SPEAKS = {"this service": 1, "this provider": 1, "everything": 1, "another service": 0, "another provider": 0}

# What the days of a mandate have against it.
DAYS = {
    "in use": (),
    "first day": (),
    "last day": (),
    "used 24 months ago": (),
    "from tomorrow": ("NO_MANDATE",),
    "ended yesterday": ("MANDATE_EXPIRED",),
    "used 24 months and a day ago": ("MANDATE_DORMANT",),
    "ended and unused": ("MANDATE_EXPIRED", "MANDATE_DORMANT"),
}

# What two restrictions leave; "" is the whole organisation and None is nothing at all (RUL-7).
LEFT = {
    ("", ""): "",
    ("", "X"): "X",
    ("", "Y"): "Y",
    ("", "XY"): "XY",
    ("X", ""): "X",
    ("X", "X"): "X",
    ("X", "Y"): None,
    ("X", "XY"): "X",
    ("Y", ""): "Y",
    ("Y", "X"): None,
    ("Y", "Y"): "Y",
    ("Y", "XY"): "Y",
    ("XY", ""): "XY",
    ("XY", "X"): "X",
    ("XY", "Y"): "Y",
    ("XY", "XY"): "XY",
}

# What the state of a means has against a login, while its term runs and when it is over.
STATE = {
    "ordered": ("MEANS_NOT_ACTIVATED", "MEANS_NOT_ACTIVATED"),
    "awaiting_activation": ("MEANS_NOT_ACTIVATED", "MEANS_NOT_ACTIVATED"),
    "active": ("", "MEANS_EXPIRED"),
    "suspended": ("ACCESS_PAUSED", "MEANS_EXPIRED"),
    "expired": ("MEANS_EXPIRED", "MEANS_EXPIRED"),
    "revoked": ("MEANS_REVOKED", "MEANS_REVOKED"),
    "superseded": ("MEANS_REVOKED", "MEANS_REVOKED"),
}
TERM_OVER = {"to run": 0, "last day": 0, "over": 1}
GAP_RUNS = {"none": 0, "until tomorrow": 1, "until today": 0}


class Mandated(NamedTuple):
    """A mandate in symbols."""

    scope: str = "everything"
    level: str = "EH4"
    branches: str = ""
    days: str = "in use"


class Linked(NamedTuple):
    """A link of a chain in symbols; ``halves`` says who confirmed: ``both``, ``client``, ``intermediary``, ``none``."""

    mandate: Mandated = Mandated()
    halves: str = "both"


class Case(NamedTuple):
    """Everything that a decision depends on; ``shape`` tells whether the companies of the chain hang together."""

    asked: str = "EH3"
    restricts: bool = False
    chains: bool = True
    proofs: str = "po"
    level: str = "EH3"
    status: str = "active"
    term: str = "to run"
    gap: str = "none"
    listed: bool = True
    has: str = "o"
    registered: str = ""
    mandates: tuple[Mandated, ...] = (Mandated(),)
    chain: tuple[Linked, ...] = ()
    shape: str = "sound"


class Verdict(NamedTuple):
    """``granted``, ``step up`` or ``refused``, and what goes with it."""

    kind: str
    reasons: tuple[str, ...] = ()
    missing: str = ""
    level: str = ""
    branches: str = ""
    used: tuple[str, ...] = ()


Said = tuple[frozenset[str], str, str, tuple[str, ...]]


def verdict(case: Case) -> Verdict:
    """What must be decided about a case."""
    against, level, branches, used = authority(
        case.asked, case.restricts, case.chains, case.level, case.registered, case.mandates, case.chain, case.shape
    )
    missing = MISSING[case.asked][case.proofs] if "p" in case.proofs else "p"
    found = set(against)
    found.add(STATE[case.status][TERM_OVER[case.term]])
    if GAP_RUNS[case.gap]:
        found.add("UPGRADE_IN_PROGRESS")
    if not case.listed:
        found.add("ORGANISATION_ENDED")
    if LADDER[case.level] < LADDER[case.asked]:
        found.add("LEVEL_TOO_LOW")
    if missing not in case.has:
        found.add(LACKING.get(missing, ""))
    found.discard("")
    if found:
        return Verdict("refused", tuple(one for one in ORDER if one in found), missing)
    if missing:
        return Verdict("step up", missing=missing)
    reached = min((PROVEN[case.proofs], case.level, level), key=LADDER.__getitem__)
    return Verdict("granted", level=reached, branches=branches, used=used)


@cache
def authority(
    asked: str,
    restricts: bool,
    chains: bool,
    level: str,
    registered: str,
    mandates: tuple[Mandated, ...],
    chain: tuple[Linked, ...],
    shape: str,
) -> Said:
    """What is against representing anybody; else the level of the authority, its branches and the mandates used."""
    if chain:
        return _for_a_client(asked, restricts, chains, level, registered, mandates, chain, shape)
    stuck = {"BRANCH_REGISTRATION"} if registered and not restricts else set()
    best, against = _own(asked, restricts, level, registered, mandates)
    if best >= 0:
        mine = mandates[best]
        left = LEFT[registered, mine.branches]
        return frozenset(stuck), mine.level, left or "", (f"m{best}",)
    if asked == "EH1":
        return frozenset(stuck), "EH1", registered, ()
    return frozenset(stuck | against), "", "", ()


def _own(
    asked: str, restricts: bool, level: str, registered: str, mandates: tuple[Mandated, ...]
) -> tuple[int, set[str]]:
    """The place of the mandate to use, or -1 with what every mandate about this service has against it."""
    best, against, spoken = -1, set(), False
    for place, mine in enumerate(mandates):
        if not SPEAKS[mine.scope]:
            continue
        spoken = True
        flaws = flaws_of(mine, asked, restricts, level, registered)
        against |= flaws
        if not flaws and (best < 0 or _worth(mine) >= _worth(mandates[best])):
            best = place
    return best, against if spoken else {"NO_MANDATE"}


def _worth(mine: Mandated) -> tuple[bool, int, bool]:
    """Unrestricted before restricted, then the higher level, then whichever does not end today."""
    return mine.branches == "", LADDER[mine.level], mine.days != "last day"


@cache
def flaws_of(mine: Mandated, asked: str, restricts: bool, level: str, registered: str) -> frozenset[str]:
    """What one mandate about this service has against it."""
    flaws = set(DAYS[mine.days])
    if LADDER[mine.level] < LADDER[asked] and LADDER[mine.level] < LADDER[level]:
        flaws.add("MANDATE_LEVEL_TOO_LOW")
    if restricts and LEFT[registered, mine.branches] is None:
        flaws.add("OTHER_BRANCH")
    if not restricts and mine.branches:
        flaws.add("BRANCH_REGISTRATION")
    return frozenset(flaws)


def _for_a_client(
    asked: str,
    restricts: bool,
    chains: bool,
    level: str,
    registered: str,
    mandates: tuple[Mandated, ...],
    chain: tuple[Linked, ...],
    shape: str,
) -> Said:
    """RUL-15: both halves of every link, one service, at most three links; restrictions only of the client's side."""
    best, against = _own(asked, False, level, "", mandates)
    mine = set() if best >= 0 else against
    if registered:
        mine = mine | {"BRANCH_REGISTRATION"}
    if not chains or shape == "elsewhere":
        return frozenset(mine | {"NO_MANDATE"}), "", "", ()
    theirs, left = _links(asked, restricts, level, chain, shape)
    if "CHAIN_INCOMPLETE" in theirs:
        mine = mine - {"NO_MANDATE"}
    if mine or theirs:
        return frozenset(mine | theirs), "", "", ()
    levels = [mandates[best].level, *(link.mandate.level for link in chain)]
    used = (f"m{best}", *(f"c{place}" for place in range(len(chain))))
    return frozenset(), min(levels, key=LADDER.__getitem__), left or "", used


def _links(
    asked: str, restricts: bool, level: str, chain: tuple[Linked, ...], shape: str
) -> tuple[set[str], str | None]:
    """What the links have against them, and the branches of the client that they leave together."""
    if shape != "sound" or len(chain) > 3:
        return {"NO_MANDATE"}, ""
    theirs: set[str] = set()
    left: str | None = ""
    for link in chain:
        theirs |= flaws_of(link.mandate, asked, restricts, level, "") if SPEAKS[link.mandate.scope] else {"NO_MANDATE"}
        if link.halves != "both":
            theirs.add("CHAIN_INCOMPLETE")
        left = None if left is None else LEFT[left, link.mandate.branches]
    if restricts and left is None:
        theirs.add("OTHER_BRANCH")
    return theirs, left
