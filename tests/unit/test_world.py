"""Every cell of the world of the sandbox, walked through as a login on values."""

from dataclasses import replace

import pytest

from idp.domain.assurance import Factor, Level
from idp.domain.decision import Granted, Option, Refused, options, refusal
from idp.domain.login import LoginRequest, Progress, Step, next_step
from idp.domain.means import Held
from idp.domain.reasons import Reason, Remedy

from .decision_cases import INSTANCE
from .world import ALL_SERVICES, FURTHER, PERSONAS, SERVICES, TODAY

TABLE = """
anna     ok   ok   ok   ok        ok        ok        D01
bram     ok   D02  D02  D02       D02       ok        D01
chris    D05  ok   ok   ok        ok        ok        D01
dina     D05  ok   ok   ok        ok        ok        D01
emre     D01  D01  D01  ok        D01       ok        D01
fleur    D01  D01  ok   ok        D01       ok        D01
gijs     D01  D01  D01  D01       D01       ok        D01
hana     D03  D03  D03  D03       D03       ok        D01
ivo      D04  D04  D04  D04       D04       ok        D01
joke     D10  D10  D10  D10       D10       D10       D10
karim    D07  D07  D07  D07       D07       D07       D07
lotte    D07  D07  D07  D07       D07       D07       D07
mees     ok   ok   ok   ok        ok        ok        D01
nora     ok   ok   ok   ok/choose ok        ok/choose D01
otto     ok/choose ok ok ok       ok/choose ok        D01
petra    ok   ok   ok   ok        ok        ok        D01
quinten  D09  D09  D09  D09       D09       D09       D09
rosa     ok   ok   ok   ok        ok        ok        D15
sam      ok   ok   ok   ok        ok        ok        D01
tess     D14  D14  D14  D14       D14       D14       D14
uma      D16  D16  D16  D16       D16       D16       D16
"""
CELLS = [
    (row.split()[0], service, cell)
    for row in TABLE.strip().splitlines()
    for service, cell in zip(ALL_SERVICES, row.split()[1:], strict=True)
]


def walk(held: tuple[Held, ...], service: str) -> tuple[list[Step], tuple[Option, ...], Progress]:
    """The steps of a login up to its end or its first choice, everything asked being given at once."""
    question = SERVICES[service]
    asked = LoginRequest("saml", "party", INSTANCE, question.level)
    progress, steps = Progress("account"), []
    while True:
        found = options(question, held, progress.factors, TODAY)
        steps.append(next_step(asked, progress, found))
        proof = {
            Step.PASSWORD: Factor.PASSWORD,
            Step.CODE: Factor.OTP,
            Step.CERTIFICATE: Factor.CERTIFICATE,
        }.get(steps[-1])
        if proof is None:
            return steps, found, progress
        assert proof not in progress.factors
        progress = replace(progress, factors=progress.factors | {proof})


def shown(held: tuple[Held, ...], service: str) -> str:
    """The cell: ``ok``, ``ok/choose`` or the codes of every reason in order."""
    steps, found, _ = walk(held, service)
    if steps[-1] is Step.REFUSED:
        return " ".join(reason.code for reason in refusal(found, None).reasons)
    return {Step.ANSWER: "ok", Step.CHOOSE: "ok/choose"}[steps[-1]]


@pytest.mark.parametrize(("persona", "service", "cell"), CELLS)
def test_every_cell_of_the_world_is_decided_as_the_table_says(persona: str, service: str, cell: str) -> None:
    """The 147 cells: granted, granted after a choice, or refused with this first reason."""
    assert shown(PERSONAS[persona], service).split()[0] == cell


def test_the_table_has_every_cell() -> None:
    """21 personas at 7 services."""
    assert len(CELLS) == 147
    assert {persona for persona, _, _ in CELLS} == set(PERSONAS)


@pytest.mark.parametrize(("held", "service", "codes"), FURTHER.values(), ids=FURTHER.keys())
def test_the_further_accounts_reach_the_reasons_that_nobody_else_shows(held, service: str, codes: str) -> None:
    """D08, D11, D12, D13, A07, D06, and D01 with D02: all reasons, not only the first (F04)."""
    assert shown(held, service) == codes


@pytest.mark.parametrize(("persona", "service", "cell"), CELLS)
def test_nothing_about_mandates_is_told_before_the_level_is_proven(persona: str, service: str, cell: str) -> None:
    """RUL-11: a login refused after the password alone tells only of the means; all else waits for the factor."""
    steps, found, _ = walk(PERSONAS[persona], service)
    if steps == [Step.PASSWORD, Step.REFUSED]:
        for option in found:
            assert isinstance(option.decision, Refused)
            proven = option.decision.factor is None
            for objection in option.decision.visible():
                assert proven or objection.reason.value in {
                    "MEANS_NOT_ACTIVATED", "MEANS_EXPIRED", "MEANS_REVOKED", "UPGRADE_IN_PROGRESS",
                    "ORGANISATION_ENDED", "ACCESS_PAUSED", "LEVEL_TOO_LOW", "NO_RESPONDER", "CERTIFICATE_REFUSED",
                }  # fmt: skip
    if cell in ("D02", "D03", "D04", "D05") and SERVICES[service].level > Level.EH2:
        assert steps == [Step.PASSWORD, Step.CODE, Step.REFUSED]


def test_the_certificate_takes_the_place_of_the_code() -> None:
    """RUL-11, RUL-29: with her certificate rosa passes at EH4, after the password and without a code."""
    rosa = tuple(replace(one, factors=frozenset(Factor) - {Factor.PASSWORD}) for one in PERSONAS["rosa"])
    steps, found, progress = walk(rosa, "EH4-DEMO")
    assert steps == [Step.PASSWORD, Step.CERTIFICATE, Step.ANSWER]
    assert progress.factors == {Factor.PASSWORD, Factor.CERTIFICATE}
    assert isinstance(found[0].decision, Granted)
    assert found[0].decision.level is Level.EH4


@pytest.mark.parametrize(("persona", "remedy"), [("chris", Remedy.CONVERT_TO_MAIN), ("dina", Remedy.APPLY_FOR_MAIN)])
def test_f05_a_means_on_a_branch_is_refused_at_uwv_with_its_way_out(persona: str, remedy: Remedy) -> None:
    """F05, F24, F25: converting with one branch, another means with more."""
    _, found, _ = walk(PERSONAS[persona], "UWV")
    (objection,) = refusal(found, None).objections
    assert (objection.reason, objection.remedies) == (Reason.BRANCH_REGISTRATION, (remedy,))


def test_impossible_ways_stand_beside_the_possible_ones() -> None:
    """RUL-15: otto may choose three times at UWV; the client who confirmed half is there with the reason."""
    _, found, _ = walk(PERSONAS["otto"], "UWV")
    granted = [one for one in found if isinstance(one.decision, Granted)]
    refused = [one.decision.reasons for one in found if isinstance(one.decision, Refused)]
    assert (len(granted), refused) == (3, [(Reason.CHAIN_INCOMPLETE,)])


def test_chains_about_another_service_are_not_mentioned() -> None:
    """RUL-15: at GEM only the client who mandated for GEM stands beside the own company; at OLO nobody."""
    at_gem = walk(PERSONAS["otto"], "GEM")[1]
    assert [one.held.principal for one in at_gem] == ["90000001", "90000012"]
    assert len(walk(PERSONAS["otto"], "OLO")[1]) == 1


def test_an_account_without_means_is_told_so_after_the_password() -> None:
    """D16: uma's refusal has one reason, which may be shown."""
    refused = refusal((), None)
    assert refused.reasons == (Reason.NO_MEANS,)
    assert refused.visible() == refused.objections
    assert refusal((), Factor.OTP).visible() == refused.objections
    assert refused.objections[0].remedies == (Remedy.APPLY, Remedy.ACTIVATE)
