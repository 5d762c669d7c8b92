"""The closed table of reasons: codes, order, audience and remedies."""

from random import Random

import pytest

from idp.domain.reasons import REASON_ORDER, REASONS, Audience, Reason, Remedy, in_order

from .oracle import ORDER, SHOWN_AFTER_PASSWORD

CODES = {
    "LEVEL_TOO_LOW": "D01",
    "NO_MANDATE": "D02",
    "MANDATE_EXPIRED": "D03",
    "MANDATE_DORMANT": "D04",
    "BRANCH_REGISTRATION": "D05",
    "OTHER_BRANCH": "D06",
    "MEANS_NOT_ACTIVATED": "D07",
    "MEANS_EXPIRED": "D08",
    "MEANS_REVOKED": "D09",
    "UPGRADE_IN_PROGRESS": "D10",
    "MANDATE_LEVEL_TOO_LOW": "D11",
    "ORGANISATION_ENDED": "D12",
    "CHAIN_INCOMPLETE": "D13",
    "ACCESS_PAUSED": "D14",
    "CERTIFICATE_REFUSED": "D15",
    "NO_MEANS": "D16",
    "NO_RESPONDER": "A07",
    "CANCELLED": "L10",
}
# What mends each refusal, most useful first (features D.3, F05, F07).
MENDS = {
    Reason.LEVEL_TOO_LOW: (Remedy.UPGRADE, Remedy.USE_OTHER_MEANS),
    Reason.NO_MANDATE: (Remedy.ASK_MANAGER,),
    Reason.MANDATE_EXPIRED: (Remedy.RENEW_MANDATE, Remedy.ASK_MANAGER),
    Reason.MANDATE_DORMANT: (Remedy.RENEW_MANDATE, Remedy.ASK_MANAGER),
    Reason.BRANCH_REGISTRATION: (Remedy.CONVERT_TO_MAIN, Remedy.APPLY_FOR_MAIN),
    Reason.OTHER_BRANCH: (Remedy.ASK_MANAGER,),
    Reason.MEANS_NOT_ACTIVATED: (Remedy.ACTIVATE, Remedy.NEW_LETTER),
    Reason.MEANS_EXPIRED: (Remedy.APPLY,),
    Reason.MEANS_REVOKED: (Remedy.CONTACT_SERVICE, Remedy.APPLY),
    Reason.UPGRADE_IN_PROGRESS: (Remedy.WAIT, Remedy.CONTACT_SERVICE),
    Reason.MANDATE_LEVEL_TOO_LOW: (Remedy.ASK_MANAGER,),
    Reason.ORGANISATION_ENDED: (Remedy.APPLY_NEW_NUMBER,),
    Reason.CHAIN_INCOMPLETE: (Remedy.REMIND_CHAIN,),
    Reason.ACCESS_PAUSED: (Remedy.ASK_MANAGER,),
    Reason.CERTIFICATE_REFUSED: (Remedy.CONTACT_SERVICE,),
    Reason.NO_MEANS: (Remedy.APPLY, Remedy.ACTIVATE),
    Reason.NO_RESPONDER: (Remedy.PAIR_RESPONDER, Remedy.ASK_MANAGER),
    Reason.CANCELLED: (),
}


def test_every_reason_has_its_code_and_no_other_exists() -> None:
    """RUL-4: one closed enumeration, one code each."""
    assert {reason.value: reason.code for reason in Reason} == CODES
    assert set(REASONS) == set(Reason)


def test_reasons_stand_in_one_order() -> None:
    """RUL-5: whatever order they were found in, and however often."""
    shuffled = list(Reason) * 2
    Random(7).shuffle(shuffled)
    assert in_order(shuffled) == (*ORDER, "CANCELLED")
    assert [reason.order for reason in in_order(shuffled)] == sorted(REASON_ORDER.values())


def test_some_reasons_may_be_told_after_the_password() -> None:
    """RUL-11: those about the means; all others wait until the level is proven."""
    early = {reason.value for reason, facts in REASONS.items() if facts.audience is Audience.AFTER_PASSWORD}
    assert early == SHOWN_AFTER_PASSWORD | {"CANCELLED"}


@pytest.mark.parametrize("reason", Reason)
def test_every_refusal_has_its_ways_out(reason: Reason) -> None:
    """U-10, F05, F07: each reason names what mends it, most useful first; only a cancellation mends nothing."""
    assert REASONS[reason].remedies == MENDS[reason]
