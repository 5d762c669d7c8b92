"""Answers of the authorization endpoint: codes, refusals, interruptions, and where they go."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from idp.domain.assertion import Denied, Interrupted
from idp.domain.assurance import Factor
from idp.domain.login import Step
from idp.domain.reasons import Reason
from idp.protocols.message import Answered, Incoming, PostForm, Redirect
from idp.protocols.oidc.jose.jws import sign
from idp.services.authentication.login import Concluded
from tests.protocol.oidc_kit import BASE, CALLBACK, STATE, Provider, RelyingParty, parameters_of
from tests.protocol.test_oidc_requests import read

UNMET = {Reason.LEVEL_TOO_LOW, Reason.MANDATE_LEVEL_TOO_LOW, Reason.CERTIFICATE_REFUSED, Reason.NO_RESPONDER}


@pytest.fixture(scope="module")
def provider(shared_provider: Provider) -> Provider:
    """Nothing here changes the provider."""
    return shared_provider


@pytest.fixture(scope="module")
def party(provider: Provider) -> RelyingParty:
    """A client of UWV."""
    return provider.register()


def answered(party: RelyingParty, outcome: Denied | Interrupted) -> dict[str, str]:
    """What the client hears of an outcome."""
    provider = party.provider
    result = party.begin(provider.log_in())
    assert isinstance(result, Concluded)
    incoming = Incoming(result.incoming.party, result.incoming.asked)
    with provider.office.work("person") as work:
        recorded = provider.codec.record(work, incoming, outcome)
    assert recorded == ""
    return parameters_of(provider.codec.answer(provider.office, incoming, outcome, recorded, provider.clock.now()))


def test_a_granted_login_brings_a_code(party: RelyingParty) -> None:
    """The redirect carries a code of 256 bits, the state and our issuer, and nothing else (SEC-21, RFC 9207)."""
    answer = party.authorize(party.provider.log_in())
    assert isinstance(answer, Redirect)
    assert answer.location.startswith(CALLBACK + "?code=")
    told = parameters_of(answer)
    assert (told.pop("state"), told.pop("iss"), len(told.pop("code")), told) == (STATE, BASE, 43, {})


def test_two_codes_are_never_the_same(party: RelyingParty) -> None:
    """Every login has a code of its own, also for the same request in the same session."""
    browser = party.provider.log_in()
    assert party.code(browser) != party.code(browser)


def test_the_address_keeps_its_own_query(provider: Provider) -> None:
    """A registered address with a query gets the answer added to it."""
    address = CALLBACK + "?tenant=a%20b"
    party = provider.register(redirect_uris=[address])
    answer = party.authorize(provider.log_in(), redirect_uri=address)
    assert isinstance(answer, Redirect)
    assert answer.location.startswith(address + "&code=")


@pytest.mark.parametrize("state", ['a b"<é&=+%', "x" * 2048, "a\\b", "😀"])
def test_the_state_comes_back_as_it_went(party: RelyingParty, state: str) -> None:
    """The state is echoed letter for letter, by redirect and by form."""
    browser = party.provider.log_in()
    assert parameters_of(party.authorize(browser, state=state))["state"] == state
    form = party.authorize(browser, state=state, response_mode="form_post")
    assert isinstance(form, PostForm)
    assert (form.action, form.fields["state"], len(form.fields["code"])) == (CALLBACK, state, 43)


def test_no_state_gives_no_state(party: RelyingParty) -> None:
    """A request without a state is answered without one."""
    assert "state" not in parameters_of(party.authorize(party.provider.log_in(), state=None))


@pytest.mark.parametrize("reason", [one for one in Reason if one is not Reason.CANCELLED])
def test_a_refusal_is_told_coarsely(party: RelyingParty, reason: Reason) -> None:
    """The client hears one of two errors and the support reference, never the reason (RUL-25, RUL-33)."""
    told = answered(party, Denied((reason, Reason.NO_MANDATE), "ABCD2345"))
    assert told["error"] == ("unmet_authentication_requirements" if reason in UNMET else "access_denied")
    assert told["error_description"].endswith("ABCD2345")
    assert not {one for one in Reason if one.value in str(told) or one.code in str(told)}
    assert (told["iss"], told["state"], "code" in told) == (BASE, STATE, False)


def test_cancelling_has_its_own_words(party: RelyingParty) -> None:
    """Cancelling is ``access_denied`` with exactly the words of the scheme (RUL-25)."""
    told = answered(party, Denied((Reason.CANCELLED,), "ABCD2345"))
    assert (told["error"], told["error_description"]) == ("access_denied", "Authentication cancelled")


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (Step.PASSWORD, "login_required"),
        (Step.CODE, "login_required"),
        (Step.CERTIFICATE, "login_required"),
        (Step.CHOOSE, "account_selection_required"),
        (Step.CONSENT, "consent_required"),
    ],
)
def test_an_interruption_says_what_was_needed(party: RelyingParty, step: Step, error: str) -> None:
    """A passive request that would have needed the person says so in the words of OpenID Connect."""
    assert answered(party, Interrupted(step.value, "ABCD2345"))["error"] == error


def test_a_passive_request_asks_nobody(party: RelyingParty) -> None:
    """With ``prompt=none`` a session answers at once; none, one too old or one too weak is ``login_required``."""
    provider = party.provider
    assert "code" in parameters_of(party.authorize(provider.log_in(), prompt="none"))
    without = party.authorize(provider.without_session(), prompt="none")
    weak = party.authorize(provider.log_in(factors=(Factor.PASSWORD,)), prompt="none")
    forced = party.authorize(provider.log_in(), prompt="none", max_age="0")
    for answer in (without, weak, forced):
        assert parameters_of(answer)["error"] == "login_required"


def test_a_passive_request_does_not_end_the_session(party: RelyingParty) -> None:
    """``prompt=none`` with ``max_age=0`` fails and leaves the session as it was."""
    browser = party.provider.log_in()
    assert parameters_of(party.authorize(browser, prompt="none", max_age="0"))["error"] == "login_required"
    assert "code" in parameters_of(party.authorize(browser, prompt="none"))


def test_an_organisation_without_the_identifier_is_refused(party: RelyingParty) -> None:
    """Where the service takes only an identifier that the organisation lacks, no code is given (EC-4)."""
    provider = party.provider
    result = party.begin(provider.log_in())
    assert isinstance(result, Concluded)
    service = replace(provider.service("UWV"), entity_types=(("urn:etoegang:1.12:EntityConcernedID:BSN",),))
    incoming = Incoming(replace(result.incoming.party, services=((0, service),)), result.incoming.asked)
    with provider.office.work("person") as work:
        recorded = provider.codec.record(work, incoming, result.outcome)
    answer = provider.codec.answer(provider.office, incoming, result.outcome, recorded, provider.clock.now())
    told = parameters_of(answer)
    assert (recorded, told["error"], "code" in told) == ("", "access_denied", False)


def test_no_setting_makes_a_code_live_longer(seeded_world: Path, tmp_path: Path) -> None:
    """A code is worth nothing after a minute, however long the settings would let it live (SEC-21)."""
    shutil.copyfile(seeded_world, tmp_path / "idp.db")
    provider = Provider(f"sqlite:///{tmp_path / 'idp.db'}", empty=True, oidc__code_seconds=3600)
    party = provider.register()
    early, late = party.code(), party.code()
    provider.move(seconds=59)
    assert party.redeem(early).status == 200
    provider.move(seconds=1)
    assert party.redeem(late).status == 400
    provider.close()


def test_only_an_id_token_is_a_hint(party: RelyingParty) -> None:
    """Another token of ours, though signed by the same key, does not name a person to log in."""
    office, now = party.provider.office, int(party.provider.clock.now().timestamp())
    claims = {"iss": BASE, "sub": "somebody", "exp": now + 60}
    for kind in ("at+jwt", "logout+jwt", "token-introspection+jwt"):
        with pytest.raises(Answered) as caught:
            read(party, id_token_hint=sign(office.keys, "ES256", claims, kind))
        assert parameters_of(caught.value.answer)["error"] == "invalid_request"
    assert read(party, id_token_hint=sign(office.keys, "ES256", claims)).subject == "somebody"
