"""Answers of the authorization endpoint: a code or an error, always with our issuer (RFC 9207)."""

from collections.abc import Mapping
from typing import Final

from idp.domain.assertion import Denied, Interrupted, Lacking, Undeliverable
from idp.domain.login import Step
from idp.domain.reasons import Reason
from idp.protocols.message import Answer
from idp.protocols.oidc.request.return_address import ReturnAddress

CANCELLED: Final = "Authentication cancelled"
UNTOLD: Final[Mapping[Lacking, str]] = {
    Lacking.ENTITY_TYPE: "The organisation has no identifier that the service takes.",
    Lacking.ATTRIBUTE: "An attribute that the service requires is not known.",
}
# Refusals about the level or its proof; every other refusal, and cancelling, is a plain denial (RUL-33).
_UNMET: Final = frozenset(
    {Reason.LEVEL_TOO_LOW, Reason.MANDATE_LEVEL_TOO_LOW, Reason.CERTIFICATE_REFUSED, Reason.NO_RESPONDER}
)
_ERROR_OF_STEP: Final[Mapping[str, str]] = {
    Step.CHOOSE: "account_selection_required",
    Step.CONSENT: "consent_required",
}


def answer_with_code(where: ReturnAddress, code: str, more: Mapping[str, str]) -> Answer:
    """The granted login; ``more`` goes with the code."""
    return where.carry({"code": code, **more})


def answer_with_error(where: ReturnAddress, error: str, description: str) -> Answer:
    """A fault in the request, or a login that ended without a code."""
    return where.carry({"error": error, "error_description": description})


def answer_without_login(where: ReturnAddress, outcome: Denied | Interrupted | Undeliverable) -> Answer:
    """A refusal, a cancellation or a passive request that would have needed the person; coarse (RUL-25, RUL-33)."""
    if isinstance(outcome, Interrupted):
        error = _ERROR_OF_STEP.get(outcome.step, "login_required")
        return answer_with_error(where, error, f"The person would have to be asked. Reference {outcome.reference}")
    if isinstance(outcome, Undeliverable):
        return answer_with_error(where, "access_denied", f"{UNTOLD[outcome.lacking]} Reference {outcome.reference}")
    if outcome.reasons == (Reason.CANCELLED,):
        return answer_with_error(where, "access_denied", CANCELLED)
    first = outcome.reasons[0] if outcome.reasons else None
    error = "unmet_authentication_requirements" if first in _UNMET else "access_denied"
    return answer_with_error(where, error, f"The login was refused. Reference {outcome.reference}")
