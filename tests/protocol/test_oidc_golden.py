"""Whole flows under fixed keys, clock and randomness, byte for byte (RUL-28)."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from idp.domain.assertion import Assertion, LegalSubject
from idp.domain.identifiers import KvkNumber
from idp.protocols.message import Answer, Document, PostForm, Redirect
from idp.services.authentication.login import Concluded
from tests.protocol.oidc_kit import EIDAS, LOA, Provider, RelyingParty, parameters_of, told_by

FOLDER = Path(__file__).parent / "golden" / "oidc"
REFRESHING = {"grant_types": ["authorization_code", "refresh_token"], "client_id": "portal"}


def shown_answer(answer: Answer) -> Any:
    """An answer of the authorization endpoint."""
    if isinstance(answer, PostForm):
        return {"action": answer.action, "fields": dict(answer.fields)}
    assert isinstance(answer, Redirect)
    return answer.location


def shown_token(token: str, *, exact: bool) -> dict[str, Any]:
    """A token opened up; its signature is shown where the algorithm gives the same bytes every time."""
    header, payload, signature = token.split(".")
    opened = [json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, payload)]
    return {"header": opened[0], "claims": opened[1], "signature": signature if exact else "masked"}


def shown_tokens(document: Document, *, exact: bool = True) -> dict[str, Any]:
    """An answer of the token endpoint."""
    told = told_by(document)
    return told | {"id_token": shown_token(told["id_token"], exact=exact), "headers": dict(document.headers)}


def flow(party: RelyingParty, username: str = "anna", *, exact: bool = True, **changes: str | None) -> dict[str, Any]:
    """Request, answer, tokens and userinfo of one login."""
    provider = party.provider
    browser = provider.log_in(username)
    answer = party.authorize(browser, **changes)
    shown = {"request": party.request(**changes), "answer": shown_answer(answer)}
    told = parameters_of(answer)
    if "code" not in told:
        return shown
    document = party.redeem(told["code"])
    information = provider.userinfo(told_by(document)["access_token"])
    return shown | {"tokens": shown_tokens(document, exact=exact), "userinfo": json.loads(information.body)}


def plain(provider: Provider) -> dict[str, Any]:
    """A portal asks nothing special."""
    return flow(provider.register(client_id="portal"))


def eherkenning(provider: Provider) -> dict[str, Any]:
    """The example of the domain reference, 12.9."""
    return flow(
        provider.register(client_id="portal"),
        scope="openid eherkenning kvk",
        acr_values=LOA + "3",
        ui_locales="nl",
    )


def european(provider: Provider) -> dict[str, Any]:
    """A portal that speaks eIDAS and wants its answer by form and its tokens signed by ES256."""
    party = provider.register(client_id="portal", id_token_signed_response_alg="ES256")
    return flow(party, exact=False, acr_values=EIDAS + "substantial", response_mode="form_post")


def long_chain(provider: Provider) -> dict[str, Any]:
    """A company chose its accountant, who passed it on to the company where the person works."""
    party = provider.register(client_id="portal")
    result = party.begin(provider.log_in(), scope="openid eherkenning")
    assert isinstance(result, Concluded)
    assert isinstance(result.outcome, Assertion)
    chain = (
        LegalSubject(KvkNumber("90000002"), None, "Kantoor Cijfer"),
        LegalSubject(KvkNumber("90000004"), None, "Loonadvies & Co."),
    )
    with provider.office.work("person") as work:
        code = provider.codec.record(work, result.incoming, replace(result.outcome, intermediaries=chain))
    document = party.redeem(code)
    information = provider.userinfo(told_by(document)["access_token"])
    return {"tokens": shown_tokens(document), "userinfo": json.loads(information.body)}


def refreshed(provider: Provider) -> dict[str, Any]:
    """A refresh ten minutes later."""
    party = provider.register(**REFRESHING)
    first = party.tokens(scope="openid offline_access")
    provider.move(minutes=10)
    return {"tokens": shown_tokens(party.refresh(first["refresh_token"]))}


def refused(provider: Provider) -> dict[str, Any]:
    """A means on a branch at a service for whole organisations, told at once."""
    return flow(provider.register("UWV", {"deny_mode": "return"}, client_id="portal"), "chris")


def too_low(provider: Provider) -> dict[str, Any]:
    """A means below the level of the service, told at once."""
    return flow(provider.register("UWV", {"deny_mode": "return"}, client_id="portal"), "emre")


def passive(provider: Provider) -> dict[str, Any]:
    """A passive request about a session that is too old."""
    party = provider.register(client_id="portal")
    answer = party.authorize(provider.without_session(), prompt="none")
    return {"request": party.request(prompt="none"), "answer": shown_answer(answer)}


@pytest.mark.parametrize("case", [plain, eherkenning, european, long_chain, refreshed, refused, too_low, passive])
def test_a_flow_is_the_same_to_the_byte(
    provider: Provider, case: Callable[[Provider], dict[str, Any]], pytestconfig: pytest.Config
) -> None:
    """Requests, answers, tokens and claims equal the golden ones; a change of the wire shows as a difference."""
    file = FOLDER / f"{case.__name__.replace('_', '-')}.json"
    shown = json.dumps(case(provider), indent=2, ensure_ascii=False) + "\n"
    if pytestconfig.getoption("rewrite", False):
        file.parent.mkdir(exist_ok=True)
        file.write_text(shown)
    assert shown == file.read_text()
