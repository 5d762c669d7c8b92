"""The world of the sandbox as values: services, organisations, and what each persona holds (RUL, the world)."""

from dataclasses import replace
from datetime import date, timedelta

from idp.domain.assurance import Factor, Level
from idp.domain.decision import Asked
from idp.domain.identifiers import BranchNumber, KvkNumber, Oin, ServiceUuid
from idp.domain.mandates import Link, Mandate, Scope, ScopeKind, Target
from idp.domain.means import Held, MeansStatus, Registration

TODAY = date(2026, 11, 20)
DAY = timedelta(days=1)
UWV, RVO, OMGEVINGSLOKET, MUNICIPALITY, DEMO = (Oin(f"{number:020}") for number in range(1, 6))
ALL_SERVICES = ("UWV", "RVO-3", "RVO-2PLUS", "OLO", "GEM", "EH1-DEMO", "EH4-DEMO")
OTP = frozenset({Factor.OTP})


def _service(number: int, provider: Oin, level: Level, restricts: bool, chains: bool) -> Asked:
    uuid = ServiceUuid(f"00000000-0000-4000-8000-{number:012}")
    return Asked(Target(uuid, provider, restricts), level, chains)


SERVICES = {
    "UWV": _service(1, UWV, Level.EH3, False, True),
    "RVO-3": _service(2, RVO, Level.EH3, True, True),
    "RVO-2PLUS": _service(3, RVO, Level.EH2PLUS, True, False),
    "OLO": _service(4, OMGEVINGSLOKET, Level.EH2, True, False),
    "GEM": _service(5, MUNICIPALITY, Level.EH3, True, True),
    "EH1-DEMO": _service(6, DEMO, Level.EH1, True, False),
    "EH4-DEMO": _service(7, DEMO, Level.EH4, False, False),
}


def mandate(identity: str, service: str = "", level: Level = Level.EH3, branches: str = "") -> Mandate:
    """A mandate for one service of the world, or a general one."""
    scope = Scope(ScopeKind.SERVICE, service=SERVICES[service].target.service) if service else Scope(ScopeKind.GENERAL)
    limited = frozenset(BranchNumber(one) for one in branches.split())
    return Mandate(identity, scope, level, limited, TODAY - 100 * DAY, TODAY + 900 * DAY, TODAY - DAY)


def company(number: int) -> KvkNumber:
    """An invented organisation."""
    return KvkNumber(f"{90000000 + number}")


def branch(number: int) -> BranchNumber:
    """An invented branch."""
    return BranchNumber(f"{90000000 + number:012}")


PLAIN = Held(
    means="eh3",
    level=Level.EH3,
    status=MeansStatus.ACTIVE,
    registration=Registration(company(1)),
    valid_until=TODAY + 900 * DAY,
    mandates=(mandate("general"),),
    factors=OTP,
)
ON_BRANCH = replace(PLAIN, registration=Registration(company(2), branch(1)))


def low(level: Level) -> Held:
    """A means of a lower level with a general mandate of that level."""
    return replace(PLAIN, means="low", level=level, mandates=(mandate("general", level=level),))


def link(client: KvkNumber, service: str, both: bool = True) -> Link:
    """A client's mandate to the company of PLAIN for one service."""
    return Link(client, company(1), mandate(f"{client} {service}", service), True, both)


def _intermediary() -> tuple[Held, ...]:
    chains = (
        link(company(11), "UWV"),
        link(company(12), "UWV"),
        link(company(12), "GEM"),
        link(company(13), "UWV", both=False),
    )
    return (PLAIN, *(replace(PLAIN, chain=(one,)) for one in chains))


ENDED_YESTERDAY = replace(mandate("ended"), valid_until=TODAY - DAY)
UNUSED = replace(
    mandate("unused"),
    valid_from=date(2024, 1, 1),
    valid_until=date(2028, 12, 31),
    last_used=date(2024, 11, 19),
)
AWAITING = replace(PLAIN, means="new", status=MeansStatus.AWAITING_ACTIVATION)
OVER = replace(PLAIN, means="old", status=MeansStatus.EXPIRED, valid_until=TODAY - 10 * DAY)
PERSONAS: dict[str, tuple[Held, ...]] = {
    "anna": (PLAIN,),
    "bram": (replace(PLAIN, mandates=(mandate("only", "UWV"),)),),
    "chris": (replace(ON_BRANCH, open_branches=1),),
    "dina": (replace(ON_BRANCH, open_branches=3),),
    "emre": (low(Level.EH2),),
    "fleur": (low(Level.EH2PLUS),),
    "gijs": (replace(low(Level.EH1), mandates=()),),
    "hana": (replace(PLAIN, mandates=(ENDED_YESTERDAY,)),),
    "ivo": (replace(PLAIN, mandates=(UNUSED,)),),
    "joke": (replace(low(Level.EH1), upgrade_gap_until=TODAY + 2 * DAY), AWAITING),
    "karim": (OVER, AWAITING),
    "lotte": (OVER, AWAITING),
    "mees": (PLAIN,),
    "nora": (PLAIN, replace(low(Level.EH2), registration=Registration(company(3)))),
    "otto": _intermediary(),
    "petra": (PLAIN,),
    "quinten": (replace(PLAIN, status=MeansStatus.REVOKED),),
    "rosa": (replace(PLAIN, means="eh4", level=Level.EH4, mandates=(mandate("general", level=Level.EH4),)),),
    "sam": (PLAIN,),
    "tess": (replace(PLAIN, status=MeansStatus.SUSPENDED),),
    "uma": (),
}
# The accounts that reach what nobody above shows, each with the service at which it does.
FURTHER: dict[str, tuple[tuple[Held, ...], str, str]] = {
    "a means that expired": ((OVER,), "UWV", "D08"),
    "a mandate below the means": ((replace(PLAIN, mandates=(mandate("low", "", Level.EH2),)),), "UWV", "D11"),
    "an organisation that ended": ((replace(PLAIN, organisation_active=False),), "UWV", "D12"),
    "only an incomplete chain": (
        (replace(PLAIN, mandates=()), replace(PLAIN, mandates=(), chain=(link(company(11), "UWV", both=False),))),
        "UWV",
        "D13",
    ),
    "a responder that was lost": ((replace(PLAIN, factors=frozenset()),), "UWV", "A07"),
    "a mandate for another branch": (
        (replace(ON_BRANCH, mandates=(mandate("other", branches=branch(2)),)),),
        "RVO-3",
        "D06",
    ),
    "level and mandate both missing": ((replace(low(Level.EH2), mandates=()),), "UWV", "D01 D02"),
}
