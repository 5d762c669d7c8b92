"""Symbols of the oracle turned into values of the domain."""

from datetime import date, timedelta
from functools import cache

from idp.domain.assurance import Factor, Level
from idp.domain.decision import Asked, Decision, Granted, Refused, StepUp
from idp.domain.identifiers import BranchNumber, InstanceUuid, KvkNumber, Oin, ServiceUuid
from idp.domain.mandates import Branches, Link, Mandate, Scope, ScopeKind, Target
from idp.domain.means import Held, MeansStatus, Registration

from .oracle import Case, Linked, Mandated, Verdict

TODAY = date(2026, 11, 20)
DAY = timedelta(days=1)
FAR = date(2027, 11, 20)
ALLOWED_UNTIL = {"to run": FAR, "last day": TODAY, "over": TODAY - DAY}
GAP_UNTIL = {"none": None, "until tomorrow": TODAY + DAY, "until today": TODAY}

LEVELS = {"EH1": Level.EH1, "EH2": Level.EH2, "EH2+": Level.EH2PLUS, "EH3": Level.EH3, "EH4": Level.EH4}
LETTER = {"p": Factor.PASSWORD, "o": Factor.OTP, "c": Factor.CERTIFICATE}
NAME_OF_LEVEL = {level: name for name, level in LEVELS.items()}
LETTER_OF = {factor: letter for letter, factor in LETTER.items()}

SERVICE = ServiceUuid("11111111-1111-4111-8111-111111111111")
OTHER_SERVICE = ServiceUuid("22222222-2222-4222-8222-222222222222")
INSTANCE = InstanceUuid("11111111-1111-4111-9111-111111111111")
OTHER_INSTANCE = InstanceUuid("22222222-2222-4222-9222-222222222222")
PROVIDER, OTHER_PROVIDER = Oin("0" * 19 + "1"), Oin("0" * 19 + "2")
SCOPES = {
    "this service": Scope(ScopeKind.SERVICE, service=SERVICE),
    "another service": Scope(ScopeKind.SERVICE, service=OTHER_SERVICE),
    "this provider": Scope(ScopeKind.PROVIDER, provider=PROVIDER),
    "another provider": Scope(ScopeKind.PROVIDER, provider=OTHER_PROVIDER),
    "everything": Scope(ScopeKind.GENERAL),
}
BRANCH = {"X": BranchNumber("000090000011"), "Y": BranchNumber("000090000012")}
BRANCHES: dict[str, Branches] = {text: frozenset(BRANCH[one] for one in text) for text in ("", "X", "Y", "XY")}
SYMBOL_OF_BRANCHES = {branches: text for text, branches in BRANCHES.items()}

EMPLOYER = KvkNumber("90000001")
CLIENTS = tuple(KvkNumber(f"9000000{place}") for place in range(2, 8))

# First day, last day, and day of last use of a mandate, seen from TODAY.
SPAN = {
    "in use": (date(2025, 1, 1), FAR, TODAY),
    "first day": (TODAY, FAR, TODAY),
    "last day": (date(2025, 1, 1), TODAY, TODAY - DAY),
    "used 24 months ago": (date(2024, 1, 1), FAR, date(2024, 11, 20)),
    "from tomorrow": (TODAY + DAY, FAR, TODAY),
    "ended yesterday": (date(2025, 1, 1), TODAY - DAY, TODAY - DAY),
    "used 24 months and a day ago": (date(2024, 1, 1), FAR, date(2024, 11, 19)),
    "ended and unused": (date(2023, 1, 1), TODAY - DAY, date(2023, 1, 1)),
}


@cache
def mandate(mine: Mandated, identity: str) -> Mandate:
    """The mandate that a symbol stands for."""
    begin, end, used = SPAN[mine.days]
    return Mandate(identity, SCOPES[mine.scope], LEVELS[mine.level], BRANCHES[mine.branches], begin, end, used)


@cache
def factors(letters: str) -> frozenset[Factor]:
    """The factors that letters stand for."""
    return frozenset(LETTER[one] for one in letters)


@cache
def links(chain: tuple[Linked, ...], shape: str) -> tuple[Link, ...]:
    """A chain from the client to the employer, or one that does not hang together."""
    companies = [*reversed(CLIENTS[: len(chain)]), EMPLOYER]
    if shape == "elsewhere":
        companies[-1] = CLIENTS[-1]
    if shape == "circle":
        companies[0] = EMPLOYER
    giving, taking = companies[:-1], companies[1:]
    if shape == "torn":
        taking[0] = CLIENTS[-1]
    parties = zip(giving, taking, chain, strict=True)
    return tuple(_link(*parts, f"c{place}") for place, parts in enumerate(parties))


def _link(giver: KvkNumber, taker: KvkNumber, link: Linked, identity: str) -> Link:
    confirmed = (link.halves in ("both", "client"), link.halves in ("both", "intermediary"))
    return Link(giver, taker, mandate(link.mandate, identity), *confirmed)


@cache
def asked(level: str, restricts: bool, chains: bool) -> Asked:
    """The question of a service."""
    return Asked(Target(SERVICE, PROVIDER, restricts), LEVELS[level], chains)


@cache
def registration(registered: str) -> Registration:
    """The employer, or one branch of it."""
    return Registration(EMPLOYER, BRANCH[registered] if registered else None)


STATUSES = {status.value: status for status in MeansStatus}


@cache
def _mandates(mandates: tuple[Mandated, ...]) -> tuple[Mandate, ...]:
    return tuple(mandate(mine, f"m{place}") for place, mine in enumerate(mandates))


def held(case: Case, means: str = "means", open_branches: int = 0) -> Held:
    """The way to act that a case describes."""
    return Held(
        means,
        LEVELS[case.level],
        STATUSES[case.status],
        registration(case.registered),
        ALLOWED_UNTIL[case.term],
        _mandates(case.mandates),
        links(case.chain, case.shape) if case.chain else (),
        factors(case.has),
        case.listed,
        open_branches,
        GAP_UNTIL[case.gap],
    )


def as_verdict(decision: Decision) -> Verdict:
    """A decision in the symbols of the oracle."""
    match decision:
        case Refused(factor=factor):
            return Verdict("refused", decision.reasons, LETTER_OF[factor] if factor else "")
        case StepUp(factor=factor):
            return Verdict("step up", missing=LETTER_OF[factor])
        case Granted(level=level, branches=branches, used=used):
            return Verdict("granted", (), "", NAME_OF_LEVEL[level], SYMBOL_OF_BRANCHES[branches], used)
