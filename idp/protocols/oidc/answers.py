"""Answers of the authorization endpoint: a code or an error, always with our issuer (RFC 9207)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from idp.domain.assertion import Denied, Interrupted
from idp.domain.login import Step
from idp.domain.reasons import Reason
from idp.protocols.message import Answer, PostForm, Redirect

CANCELLED: Final = "Authentication cancelled"
# Refusals about the level or its proof; every other refusal, and cancelling, is a plain denial (RUL-33).
_UNMET: Final = frozenset(
    {Reason.LEVEL_TOO_LOW, Reason.MANDATE_LEVEL_TOO_LOW, Reason.CERTIFICATE_REFUSED, Reason.NO_RESPONDER}
)
_ERROR_OF_STEP: Final[Mapping[str, str]] = {
    Step.CHOOSE: "account_selection_required",
    Step.CONSENT: "consent_required",
}


@dataclass(frozen=True, slots=True)
class ReturnAddress:
    """Where an answer goes, how, and what every answer there repeats."""

    uri: str
    mode: str
    state: str
    issuer: str


def answer_with_code(where: ReturnAddress, code: str) -> Answer:
    """The granted login."""
    return _answer(where, {"code": code})


def answer_with_error(where: ReturnAddress, error: str, description: str) -> Answer:
    """A fault in the request, or a login that ended without a code."""
    return _answer(where, {"error": error, "error_description": description})


def answer_without_login(where: ReturnAddress, outcome: Denied | Interrupted) -> Answer:
    """A refusal, a cancellation or a passive request that would have needed the person; coarse (RUL-25, RUL-33)."""
    if isinstance(outcome, Interrupted):
        error = _ERROR_OF_STEP.get(outcome.step, "login_required")
        return answer_with_error(where, error, f"The person would have to be asked. Reference {outcome.reference}")
    if outcome.reasons == (Reason.CANCELLED,):
        return answer_with_error(where, "access_denied", CANCELLED)
    first = outcome.reasons[0] if outcome.reasons else None
    error = "unmet_authentication_requirements" if first in _UNMET else "access_denied"
    return answer_with_error(where, error, f"The login was refused. Reference {outcome.reference}")


def _answer(where: ReturnAddress, told: Mapping[str, str]) -> Answer:
    state = {"state": where.state} if where.state else {}
    return RESPONSE_MODES[where.mode](where.uri, {**told, **state, "iss": where.issuer})


def _in_query(uri: str, told: Mapping[str, str]) -> Answer:
    joint = "&" if urlsplit(uri).query else "?"
    return Redirect(uri + joint + urlencode(told, quote_via=quote))


RESPONSE_MODES: Final[Mapping[str, Callable[[str, Mapping[str, str]], Answer]]] = {
    "query": _in_query,
    "form_post": lambda uri, told: PostForm(uri, told),
}
