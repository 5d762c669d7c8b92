"""resume() against its oracle, and the table of domain 13.5 row by row."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from idp.domain.assurance import Level
from idp.domain.login import KeptSession, LoginRequest, Progress, SingleSignOn, alive, resume

from .decision_cases import INSTANCE, LEVELS, factors
from .oracle_of_steps import Return, resumption

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PROOFS = {"EH2": "p", "EH3": "po", "EH4": "pc"}
SIGN_ON = SingleSignOn(True, True, "here", timedelta(minutes=15), timedelta(hours=2))
KEPT = KeptSession("session", "account", factors("po"), NOW, NOW, NOW, "here")
ASKED = LoginRequest("saml", "party", INSTANCE, Level.EH3)


def seconds(count: int) -> timedelta:
    return timedelta(seconds=count)


def found(back: Return) -> str:
    """What resume() makes of a return, in the words of the oracle."""
    kept = KeptSession(
        "session",
        "account",
        factors(PROOFS[back.session]),
        NOW - seconds(back.age),
        NOW - seconds(back.password_age),
        NOW - seconds(back.idle),
        "here" if back.same_provider else "there",
    )
    sign_on = replace(SIGN_ON, service=back.service, party=back.party)
    asked = replace(ASKED, level=LEVELS[back.asked], force=back.force, max_age=back.max_age)
    progress = resume(asked, kept, sign_on, NOW)
    if progress == Progress():
        return "nothing"
    assert (progress.account, progress.factors) == ("account", kept.factors)
    assert progress.authenticated_at == kept.authenticated_at
    assert progress.resumed
    enough = {"p": ("EH1", "EH2"), "po": ("EH1", "EH2", "EH2+", "EH3")}[PROOFS[back.session]]
    lacks = "" if back.asked in enough else " but the second factor"
    if not progress.foreign:
        return f"all{lacks}"
    return f"all{lacks} and consent" if lacks else "all but consent"


def test_single_sign_on_agrees_with_its_oracle() -> None:
    """A kept session brings a login exactly as far as the independent statement says."""
    ages = (-1, 0, 60, 7200, 7201)
    sides = product(
        PROOFS, LEVELS, (True, False), (False, True), (True, False), (True, False),
        ages, (-1, 0, 900, 901), (0, 900, 901, 7200, 7201), (None, 0, 59, 60),
    )  # fmt: skip
    every = [Return(*side) for side in sides]
    assert [back for back in every if found(back) != resumption(back)] == []
    assert len(every) == 96_000


@pytest.mark.parametrize(
    ("session", "asked", "provider", "force", "sso", "age", "expected"),
    [
        # EH2+ is proven by the same two factors as EH3.
        ("EH3", "EH2", "here", False, True, 60, "all"),
        ("EH3", "EH2", "there", False, True, 60, "all"),
        ("EH3", "EH3", "here", False, True, 60, "all"),
        ("EH3", "EH3", "there", False, True, 60, "all but consent"),
        ("EH3", "EH4", "here", False, True, 60, "nothing"),
        ("EH3", "EH4", "there", False, True, 60, "nothing"),
        ("EH4", "EH2", "here", False, True, 60, "nothing"),
        ("EH4", "EH4", "here", False, True, 60, "nothing"),
        ("EH3", "EH3", "here", True, True, 60, "nothing"),
        ("EH2", "EH1", "there", True, True, 60, "nothing"),
        ("EH3", "EH3", "here", False, False, 60, "nothing"),
        ("EH2", "EH2", "there", False, False, 60, "nothing"),
        ("EH3", "EH3", "here", False, True, 7201, "nothing"),
        ("EH2", "EH2", "here", False, True, 7201, "nothing"),
    ],
)
def test_the_table_of_single_sign_on_holds(session, asked, provider, force, sso, age, expected) -> None:
    """Domain 13.5, S-1, S-4, S-5, S-8: each row of the table."""
    assert found(Return(session, asked, provider == "here", force, sso, True, age, 0, age, None)) == expected


def test_a_higher_level_asks_only_the_second_factor_while_the_password_is_fresh() -> None:
    """S-6: fifteen minutes after the password, not a second more."""
    kept = replace(KEPT, factors=factors("p"), password_at=NOW - timedelta(minutes=15))
    assert resume(ASKED, kept, SIGN_ON, NOW).factors == factors("p")
    late = replace(kept, password_at=kept.password_at - seconds(1))
    assert resume(ASKED, late, SIGN_ON, NOW) == Progress()


def test_whoever_wants_another_account_begins_anew() -> None:
    """OIDC ``select_account``: a kept session would answer for the account that is to be left."""
    assert resume(replace(ASKED, choose=True), KEPT, SIGN_ON, NOW) == Progress()
    assert resume(ASKED, KEPT, SIGN_ON, NOW).resumed


def test_without_a_session_a_login_begins_at_its_beginning() -> None:
    """Nothing was proven by somebody we do not know."""
    assert resume(ASKED, None, SIGN_ON, NOW) == Progress()


@pytest.mark.parametrize(("service", "party"), [(True, False), (False, True), (False, False)])
def test_both_the_service_and_the_party_must_take_part(service, party) -> None:
    """RUL-17: one of the two is not enough."""
    sign_on = replace(SIGN_ON, service=service, party=party)
    assert not sign_on.allowed
    assert resume(ASKED, KEPT, sign_on, NOW) == Progress()
    assert SIGN_ON.allowed


@pytest.mark.parametrize(
    ("idle", "age", "lives"),
    [(900, 7200, True), (901, 60, False), (60, 7201, False), (-1, 60, False), (60, -1, False), (0, 0, True)],
)
def test_a_session_lives_within_both_its_limits(idle, age, lives) -> None:
    """SEC-30, SEC-41: fifteen idle minutes, two hours in all, and never a session from the future."""
    begun = NOW - seconds(age)
    kept = replace(KEPT, last_seen_at=NOW - seconds(idle), authenticated_at=begun, password_at=begun)
    assert alive(kept, SIGN_ON, NOW) is lives
