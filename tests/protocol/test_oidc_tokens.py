"""The token endpoint: codes and refresh tokens count once, and what was asked must fit what is brought."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from idp.domain.audit import Event
from idp.protocols.message import Document, HttpMessage
from idp.protocols.oidc import token
from idp.services.relying_parties.parties import configure, remove
from idp.services.second_factor import loss, passkeys, responders
from idp.services.sessions.logout import log_out_here
from idp.services.tickets import Held, Purpose, issue, redeem
from idp.services.tokens.grants import forget, revoke, revoke_all
from idp.services.work import Work
from idp.store.grants import GrantRow
from idp.store.ledger import AuditEvent
from idp.store.mandates import MandateRow
from idp.store.people import Account, Passkey
from tests.protocol.oidc_kit import CALLBACK, FORM, VERIFIER, Provider, RelyingParty, told_by

REFRESHING = {"grant_types": ["authorization_code", "refresh_token"]}
OFFLINE = "openid offline_access"


@pytest.fixture
def party(provider: Provider) -> RelyingParty:
    """A client that may refresh."""
    return provider.register(**REFRESHING)


def refused(document: Document, error: str, status: int = 400) -> dict[str, Any]:
    """The error document, which says nothing but error and description."""
    told = told_by(document, status)
    assert (told["error"], set(told)) == (error, {"error", "error_description"})
    return told


def works(provider: Provider, access_token: str) -> bool:
    """Whether an access token still opens userinfo."""
    status = provider.userinfo(access_token).status
    assert status in (200, 401)
    return status == 200


def events(provider: Provider) -> list[str]:
    """What was recorded, oldest first."""
    with provider.office.reading() as connection:
        return list(connection.execute(select(AuditEvent.event).order_by(AuditEvent.sequence)).scalars())


def test_a_code_becomes_tokens(party: RelyingParty) -> None:
    """The answer carries a bearer token of 256 bits for fifteen minutes, the ID token and the scope, uncached."""
    document = party.redeem(party.code(scope="openid kvk"))
    told = told_by(document)
    assert set(told) == {"access_token", "token_type", "expires_in", "scope", "id_token"}
    assert (told["token_type"], told["expires_in"], told["scope"]) == ("Bearer", 900, "openid kvk")
    assert len(told["access_token"]) == 43
    assert (document.content_type, document.headers["Pragma"]) == ("application/json", "no-cache")
    assert works(party.provider, told["access_token"])


def test_nothing_is_stored_in_plain(party: RelyingParty) -> None:
    """Neither code nor tokens stand in the row of the grant; only keyed digests do (SEC-21, SEC-31)."""
    code = party.code(scope=OFFLINE)
    tokens = told_by(party.redeem(code))
    with party.provider.office.reading() as connection:
        row = str(connection.execute(select(GrantRow)).one())
    for secret in (code, tokens["access_token"], tokens["refresh_token"].partition(".")[2], tokens["id_token"]):
        assert secret not in row


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": CALLBACK + "/"},
        {"redirect_uri": "https://evil.test/"},
        {"code_verifier": "w" * 43},
        {"code_verifier": VERIFIER + "v"},
        {"code_verifier": "v" * 42},
        {"code_verifier": "v" * 129},
        {"code_verifier": "é" * 43},
        {"code_verifier": None},
    ],
    ids=str,
)
def test_what_does_not_fit_spends_the_code(party: RelyingParty, changes: dict[str, str | None]) -> None:
    """Another address, or a verifier that is wrong, malformed or missing, is refused and burns the code (SEC-21)."""
    code = party.code()
    refused(party.redeem(code, **changes), "invalid_grant")
    refused(party.redeem(code), "invalid_grant")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"code": None}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"code": "unknown"}, "invalid_grant"),
        ({"code": "a\x00b"}, "invalid_request"),
        ({"code": "x" * 20000}, "invalid_request"),
    ],
    ids=range(9),
)
def test_what_cannot_be_a_redemption_leaves_the_code(
    party: RelyingParty, changes: dict[str, str | None], error: str
) -> None:
    """A request that is refused before its code is looked at does not spend it."""
    code = party.code()
    refused(party.redeem(code, **changes), error)
    assert told_by(party.redeem(code))


def test_a_verifier_without_a_challenge_is_refused(provider: Provider) -> None:
    """Where PKCE was waived, no verifier may turn up, as no challenge did (SEC-20)."""
    party = provider.register(wishes={"require_pkce": "false"})
    without = {"code_challenge": None, "code_challenge_method": None}
    refused(party.redeem(party.code(**without)), "invalid_grant")
    assert told_by(party.redeem(party.code(**without), code_verifier=None))


def test_a_code_of_another_client_is_worth_nothing(provider: Provider, party: RelyingParty) -> None:
    """A stolen code works for its own client alone, and is not spent by a stranger."""
    code = party.code()
    refused(provider.register().redeem(code), "invalid_grant")
    assert told_by(party.redeem(code))


def test_a_code_lasts_a_minute(party: RelyingParty) -> None:
    """A code is good for less than sixty seconds, and stays dead when the clock goes back (SEC-21, SEC-41)."""
    early, late = party.code(), party.code()
    party.provider.move(seconds=59.5)
    tokens = told_by(party.redeem(early))
    party.provider.move(seconds=0.5)
    refused(party.redeem(late), "invalid_grant")
    party.provider.move(seconds=-30)
    refused(party.redeem(early), "invalid_grant")
    assert not works(party.provider, tokens["access_token"])


def test_a_second_use_of_a_code_ends_what_the_first_gave(party: RelyingParty) -> None:
    """Reuse is refused, ends access and refresh token, and is recorded (SEC-21, RUL-34)."""
    code = party.code(scope=OFFLINE)
    tokens = told_by(party.redeem(code))
    assert works(party.provider, tokens["access_token"])
    refused(party.redeem(code), "invalid_grant")
    assert not works(party.provider, tokens["access_token"])
    refused(party.refresh(tokens["refresh_token"]), "invalid_grant")
    assert events(party.provider)[-1] == Event.TOKEN_REUSED


def test_a_code_ends_with_its_session(provider: Provider, party: RelyingParty) -> None:
    """Who logged out before the code was redeemed is not logged in by it; codes of other browsers stay (SEC-30)."""
    browser = provider.log_in()
    code, elsewhere = party.code(browser), party.code()
    with provider.office.work("person") as work:
        assert log_out_here(work, browser.session).ended
    refused(party.redeem(code), "invalid_grant")
    assert told_by(party.redeem(elsewhere))


def test_an_access_token_lasts_a_quarter(party: RelyingParty) -> None:
    """An access token works for fifteen minutes and no longer."""
    access = party.tokens()["access_token"]
    party.provider.move(seconds=899)
    assert works(party.provider, access)
    party.provider.move(seconds=1)
    assert not works(party.provider, access)


def test_refreshing_needs_scope_and_registration(provider: Provider, party: RelyingParty) -> None:
    """A refresh token comes only to a client that registered for it and asks ``offline_access``."""
    assert "refresh_token" not in party.tokens()
    assert "refresh_token" not in provider.register().tokens(scope=OFFLINE)
    refused(provider.register().refresh("0" * 32 + "." + "A" * 43), "unauthorized_client")


def test_a_refresh_token_rotates(party: RelyingParty) -> None:
    """Refreshing gives new tokens for the same login, and the old access token stops (RUL-30)."""
    first = party.tokens(scope=OFFLINE)
    party.provider.move(minutes=10)
    second = told_by(party.refresh(first["refresh_token"]))
    assert set(second) == set(first)
    assert not works(party.provider, first["access_token"])
    assert works(party.provider, second["access_token"])
    before, after = (party.provider.verified(one["id_token"]) for one in (first, second))
    for name in ("iss", "sub", "aud", "auth_time", "sid", "acr", "represents"):
        assert after[name] == before[name]
    assert after["iat"] == before["iat"] + 600
    assert ("nonce" in before, "nonce" in after) == (True, False)
    assert events(party.provider)[-1] == Event.TOKEN_ISSUED


def test_an_old_refresh_token_ends_the_family(party: RelyingParty) -> None:
    """The use of a refresh token that was already exchanged ends all that came of it (RUL-34)."""
    first = party.tokens(scope=OFFLINE)
    second = told_by(party.refresh(first["refresh_token"]))
    refused(party.refresh(first["refresh_token"]), "invalid_grant")
    assert events(party.provider)[-1] == Event.TOKEN_REUSED
    assert not works(party.provider, second["access_token"])
    refused(party.refresh(second["refresh_token"]), "invalid_grant")


def test_a_refresh_token_of_another_client_is_worth_nothing(provider: Provider, party: RelyingParty) -> None:
    """A stolen refresh token is refused to a stranger, and the family lives on."""
    tokens = party.tokens(scope=OFFLINE)
    refused(provider.register(**REFRESHING).refresh(tokens["refresh_token"]), "invalid_grant")
    assert told_by(party.refresh(tokens["refresh_token"]))


@pytest.mark.parametrize("token_text", ["x", "0" * 32, "0" * 32 + "." + "A" * 42, "0" * 32 + "." + "A" * 43, "é.A"])
def test_an_unknown_refresh_token_is_refused(party: RelyingParty, token_text: str) -> None:
    """What is no refresh token of ours is refused and recorded nowhere."""
    refused(party.refresh(token_text), "invalid_grant")
    assert events(party.provider)[-1] != Event.TOKEN_REUSED


def test_a_refresh_token_lapses(party: RelyingParty) -> None:
    """Unused for six hours it is dead, and no family lives longer than a day (11.1)."""
    unused, used = party.tokens(scope=OFFLINE), party.tokens(scope=OFFLINE)
    party.provider.move(hours=5, minutes=59)
    used = told_by(party.refresh(used["refresh_token"]))
    party.provider.move(minutes=1)
    refused(party.refresh(unused["refresh_token"]), "invalid_grant")
    for _ in range(3):
        party.provider.move(hours=5, minutes=50)
        used = told_by(party.refresh(used["refresh_token"]))
    party.provider.move(minutes=30)
    refused(party.refresh(used["refresh_token"]), "invalid_grant")


def test_a_wider_scope_is_refused_and_spends_nothing(party: RelyingParty) -> None:
    """Asking more when refreshing is refused; the refresh token stays as it was."""
    tokens = party.tokens(scope=OFFLINE)
    refused(party.refresh(tokens["refresh_token"], scope="openid kvk"), "invalid_scope")
    assert told_by(party.refresh(tokens["refresh_token"], scope="openid"))


def test_what_a_person_may_no_longer_do_no_token_can(party: RelyingParty) -> None:
    """A mandate revoked since stops the next refresh and ends the family (SEC-36)."""
    tokens = party.tokens(scope=OFFLINE)
    with party.provider.office.work("test") as work:
        work.connection.execute(update(MandateRow).values(revoked_at=work.now))
    refused(party.refresh(tokens["refresh_token"]), "invalid_grant")
    assert not works(party.provider, tokens["access_token"])
    with party.provider.office.work("test") as work:
        work.connection.execute(update(MandateRow).values(revoked_at=None))
    refused(party.refresh(tokens["refresh_token"]), "invalid_grant")


def _close(work: Work) -> None:
    work.connection.execute(update(Account).where(Account.username == "anna").values(status="closed"))


def _block(work: Work) -> None:
    account = work.connection.execute(select(Account.id).where(Account.username == "anna")).scalar_one()
    revoke_all(work, account)


@pytest.mark.parametrize("end", [_close, _block])
def test_a_closed_or_blocked_account_has_no_tokens(party: RelyingParty, end: Callable[[Work], None]) -> None:
    """Closing an account, and what blocking it does, stop its codes, access and refresh tokens at once (SEC-30)."""
    code, tokens = party.code(), party.tokens(scope=OFFLINE)
    with party.provider.office.work("test") as work:
        end(work)
    refused(party.redeem(code), "invalid_grant")
    refused(party.refresh(tokens["refresh_token"]), "invalid_grant")
    assert not works(party.provider, tokens["access_token"])


def _anna(work: Work) -> str:
    return str(work.connection.execute(select(Account.id).where(Account.username == "anna")).scalar_one())


def _take_a_key_away(work: Work) -> None:
    row = {"id": "1" * 32, "created_at": work.now, "account_id": _anna(work), "credential": "key", "public_key": b""}
    work.connection.execute(insert(Passkey).values(**row, sign_count=0, label="key", status="active"))
    assert passkeys.remove(work, _anna(work), "1" * 32)


def _report_the_responder(work: Work) -> None:
    assert loss.report(work, _anna(work))


def _write_the_responder_off(work: Work) -> None:
    responders.retire(work, "SH-2600107")


@pytest.mark.parametrize("end", [_take_a_key_away, _report_the_responder, _write_the_responder_off])
def test_what_a_lost_factor_opened_is_over(party: RelyingParty, end: Callable[[Work], None]) -> None:
    """A key taken away and a responder lost or retired end codes, tokens and answers nobody fetched (SEC-30)."""
    code, tokens = party.code(), party.tokens(scope=OFFLINE)
    with party.provider.office.work("test") as work:
        held = Held("party", {"answer": ""}, timedelta(minutes=1), _anna(work))
        issue(work, Purpose.SAML_ARTIFACT, "artifact", held)
        end(work)
        assert redeem(work, Purpose.SAML_ARTIFACT, "artifact", "party") is None
    refused(party.redeem(code), "invalid_grant")
    refused(party.refresh(tokens["refresh_token"]), "invalid_grant")
    assert not works(party.provider, tokens["access_token"])


def test_a_removed_client_has_no_tokens(party: RelyingParty) -> None:
    """Taking a client out stops what it held."""
    code, tokens = party.code(), party.tokens(scope=OFFLINE)
    with party.provider.office.work("operator") as work:
        remove(work, party.client_id)
    refused(party.redeem(code), "invalid_client", 401)
    assert not works(party.provider, tokens["access_token"])


def test_a_change_of_settings_keeps_tokens(party: RelyingParty) -> None:
    """Other settings of the client leave what was given out alone."""
    tokens = party.tokens(scope=OFFLINE)
    with party.provider.office.work("operator") as work:
        configure(work, party.client_id, {"name": "Renamed"})
    assert told_by(party.refresh(tokens["refresh_token"]))


def test_a_revoked_grant_is_dead(party: RelyingParty) -> None:
    """Revoking an authorization before its code is redeemed leaves nothing to redeem, and can be said twice."""
    code = party.code()
    with party.provider.office.work("test") as work:
        grant = work.connection.execute(select(GrantRow.id)).scalar_one()
        revoke(work, grant)
        revoke(work, grant)
    refused(party.redeem(code), "invalid_grant")


def test_old_grants_are_forgotten(party: RelyingParty) -> None:
    """Forgetting drops the authorizations made before an instant and no others."""
    party.code()
    party.provider.move(hours=1)
    access = party.tokens()["access_token"]
    with party.provider.office.work("test") as work:
        assert forget(work, work.now) == 1
    assert works(party.provider, access)
    party.provider.move(seconds=1)
    with party.provider.office.work("test") as work:
        assert forget(work, work.now) == 1
    assert not works(party.provider, access)


def test_the_endpoint_takes_posted_forms_alone(party: RelyingParty) -> None:
    """Other methods, kinds of body, parameters in the address and bodies beyond 64 KiB are refused in OAuth's form."""
    office, now = party.provider.office, party.provider.clock.now()
    good = HttpMessage("POST", "/oidc/token", b"", b"grant_type=authorization_code", FORM, party.basic())
    wrong = [
        (replace(good, method="GET"), 405),
        (replace(good, method="PUT"), 405),
        (replace(good, query=b"grant_type=authorization_code"), 400),
        (replace(good, content_type="application/json", body=json.dumps({"grant_type": "x"}).encode()), 400),
        (replace(good, content_type=""), 400),
        (replace(good, body=b"a=" + b"x" * 70000), 413),
        (replace(good, body=b"grant_type=%zz"), 400),
        (replace(good, body=b"grant_type=%ff"), 400),
        (replace(good, body=b"grant_type=a&grant_type=a"), 400),
        (replace(good, body=b"code=a&code=a&grant_type=authorization_code"), 400),
    ]
    for message, status in wrong:
        refused(token(office, message, now), "invalid_request", status)


def test_the_same_person_is_the_same_subject_to_one_provider(provider: Provider) -> None:
    """Clients of one provider share a subject, those of another see a stranger (PS-9, 11.3)."""
    rvo = provider.service("RVO-3").provider.oin
    one, two = provider.register("RVO-3"), provider.register("RVO-2PLUS,RVO-3")
    other = provider.register("UWV")
    subjects = [
        provider.verified(party.tokens(provider.log_in(last_used_at=oin))["id_token"])["sub"]
        for party, oin in ((one, rvo), (two, rvo), (other, provider.service("UWV").provider.oin))
    ]
    assert subjects[0] == subjects[1] != subjects[2]
