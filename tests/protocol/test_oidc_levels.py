"""Levels and subjects that a request asks, and how the level is told."""

import json
from dataclasses import replace

import pytest

from idp.domain.assurance import Factor
from idp.domain.login import LoginRequest, Step
from idp.protocols.message import Answered
from idp.services.authentication.login import Waiting
from tests.protocol.oidc_kit import EIDAS, LOA, Provider, RelyingParty, parameters_of
from tests.protocol.test_oidc_requests import check_fault, read

ASKED = [
    # values, service's level: EH2+; the level to reach, the words it is told in
    ("", "EH2+", "etoegang"),
    (LOA + "2", "EH2+", "etoegang"),
    (LOA + "3", "EH3", "etoegang"),
    (LOA + "4", "EH4", "etoegang"),
    (EIDAS + "low", "EH2+", "eidas"),
    (EIDAS + "substantial", "EH3", "eidas"),
    (EIDAS + "high", "EH4", "eidas"),
    (f"{LOA}4 {LOA}3", "EH3", "etoegang"),
    (f"{EIDAS}high {LOA}3", "EH3", "eidas"),
    (f"urn:unknown {EIDAS}substantial", "EH3", "eidas"),
]


@pytest.fixture(scope="module")
def provider(shared_provider: Provider) -> Provider:
    """Nothing here changes the provider."""
    return shared_provider


@pytest.fixture(scope="module")
def party(provider: Provider) -> RelyingParty:
    """A client of a service at EH2+."""
    return provider.register("RVO-2PLUS")


def told(asked: LoginRequest) -> tuple[str, str]:
    """The level to reach, and the words it is to be told in."""
    return asked.level.label, asked.reply["vocabulary"]


@pytest.mark.parametrize(("values", "level", "vocabulary"), ASKED)
def test_any_of_the_levels_asked_will_do(party: RelyingParty, values: str, level: str, vocabulary: str) -> None:
    """Every value is a minimum, unknown ones are passed over, and the catalogue's level holds at least (11.3)."""
    claims = json.dumps({"id_token": {"acr": {"essential": True, "values": values.split()}}})
    assert told(read(party, acr_values=values or None)) == (level, vocabulary)
    assert told(read(party, claims=claims)) == (level, vocabulary)


def test_the_claim_weighs_more_than_the_parameter(party: RelyingParty) -> None:
    """Levels asked by claim, as ``value`` too, go before ``acr_values``; asking the claim alone asks no level."""
    one = json.dumps({"id_token": {"acr": {"value": EIDAS + "high"}}})
    assert told(read(party, claims=one, acr_values=LOA + "3")) == ("EH4", "eidas")
    none = json.dumps({"id_token": {"acr": {"essential": True}}, "userinfo": {"acr": {"value": LOA + "4"}}})
    assert told(read(party, claims=none, acr_values=LOA + "3")) == ("EH3", "etoegang")


def test_registered_levels_hold_where_none_is_known(provider: Provider) -> None:
    """The client's default levels count when it asks none, or only unknown ones; else unknown ones are refused."""
    party = provider.register("RVO-2PLUS", default_acr_values=[EIDAS + "substantial"], acr_vocabulary="etoegang")
    for values in (None, "urn:unknown"):
        assert told(read(party, acr_values=values)) == ("EH3", "eidas")
    assert told(read(party, acr_values=LOA + "4")) == ("EH4", "etoegang")


def test_the_vocabulary_is_registered(provider: Provider) -> None:
    """A client that asks no level hears it in the words it registered."""
    assert told(read(provider.register("RVO-2PLUS", acr_vocabulary="eidas"))) == ("EH2+", "eidas")


@pytest.mark.parametrize("wishes", [{"profile": "nl-gov"}, {"reading": "strict"}], ids=str)
def test_the_letter_refuses_more_than_the_catalogue_has(provider: Provider, wishes: dict[str, str]) -> None:
    """Read strictly, a level above the catalogue cannot be met; read leniently, it is (RUL-13)."""
    party = provider.register("RVO-2PLUS", wishes, token_endpoint_auth_method="none")
    with pytest.raises(Answered) as caught:
        read(party, acr_values=LOA + "3")
    check_fault(caught, "unmet_authentication_requirements", "P07")
    assert told(read(party, acr_values=LOA + "2")) == ("EH2+", "etoegang")


def test_a_level_that_is_switched_off_is_refused(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """A level above the highest that the settings allow cannot be asked, as in SAML (AD-3)."""
    settings = provider.office.settings
    lower = replace(settings, login=replace(settings.login, levels=("EH2", "EH3")))
    party = provider.register("RVO-2PLUS")
    monkeypatch.setattr(provider, "office", replace(provider.office, settings=lower))
    with pytest.raises(Answered) as caught:
        read(party, acr_values=LOA + "4")
    check_fault(caught, "unmet_authentication_requirements", "P07")
    assert told(read(party, acr_values=LOA + "3")) == ("EH3", "etoegang")


def test_a_lower_level_counts_where_it_is_allowed(provider: Provider) -> None:
    """A request below the catalogue is ignored unless the party's settings allow it (LOA-6)."""
    party = provider.register("RVO-2PLUS", {"allow_lower_request": "true"})
    assert told(read(party, acr_values=LOA + "2")) == ("EH2", "etoegang")


def test_a_party_may_want_to_hear_what_it_asked(provider: Provider) -> None:
    """With ``answer_level=requested`` the level told is capped at the level asked (RC-3)."""
    party = provider.register("RVO-2PLUS", {"answer_level": "requested"})
    asked = read(party)
    assert (asked.level, asked.ceiling) == (provider.service("RVO-2PLUS").level,) * 2
    browser = provider.log_in(last_used_at=provider.service("RVO-2PLUS").provider.oin)
    assert provider.verified(party.tokens(browser)["id_token"])["acr"] == LOA + "2plus"


@pytest.mark.parametrize(("values", "acr"), [(None, LOA + "3"), (EIDAS + "low", EIDAS + "substantial")])
def test_the_level_told_is_the_one_reached(party: RelyingParty, values: str | None, acr: str) -> None:
    """The token states the level reached, in the vocabulary asked (LOA-7, 11.3)."""
    browser = party.provider.log_in(last_used_at=party.provider.service("RVO-2PLUS").provider.oin)
    assert party.provider.verified(party.tokens(browser, acr_values=values)["id_token"])["acr"] == acr


def test_the_lowest_level_has_no_european_name(provider: Provider) -> None:
    """EH1 is told by its own URN even to a client that speaks eIDAS."""
    party = provider.register("EH1-DEMO", acr_vocabulary="eidas")
    browser = provider.log_in("gijs", (Factor.PASSWORD,))
    assert provider.verified(party.tokens(browser)["id_token"])["acr"] == LOA + "1"


def test_a_hint_names_the_subject(provider: Provider) -> None:
    """An ID token of ours as hint, or a subject asked by claim, binds the answer to that subject."""
    party = provider.register()
    tokens = party.tokens()
    subject = provider.verified(tokens["id_token"])["sub"]
    by_claim = json.dumps({"id_token": {"sub": {"value": subject}}})
    assert read(party, id_token_hint=tokens["id_token"]).subject == subject
    assert read(party, claims=by_claim).subject == subject
    assert read(party, claims=by_claim, id_token_hint=tokens["id_token"]).subject == subject
    other = json.dumps({"userinfo": {"sub": {"value": "somebody else"}}})
    with pytest.raises(Answered) as caught:
        read(party, claims=other, id_token_hint=tokens["id_token"])
    check_fault(caught, "invalid_request", "P10")


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256"])
def test_a_hint_of_every_algorithm_is_recognised(provider: Provider, algorithm: str) -> None:
    """Hints are verified with our published keys, and a changed one is refused."""
    party = provider.register(id_token_signed_response_alg=algorithm)
    token = party.tokens()["id_token"]
    assert read(party, id_token_hint=token).subject
    header, payload, signature = token.split(".")
    for bad in (f"{header}.{payload}.{signature[:-8]}AAAAAAAA", f"{header}.{payload[:-4]}AAAA.{signature}"):
        with pytest.raises(Answered) as caught:
            read(party, id_token_hint=bad)
        check_fault(caught, "invalid_request", "P10")


def test_the_answer_is_about_the_subject_of_the_hint(provider: Provider) -> None:
    """Where the session is another person's, the client hears that a login is needed, and gets no code."""
    party = provider.register()
    token = party.tokens(provider.log_in("anna"))["id_token"]
    anna, emre = provider.log_in("anna"), provider.log_in("hana")
    assert "code" in parameters_of(party.authorize(anna, prompt="none", id_token_hint=token))
    assert "code" not in parameters_of(party.authorize(emre, prompt="none", id_token_hint=token))


def test_a_resource_server_has_the_level_raised(provider: Provider) -> None:
    """What its challenge asks (RFC 9470) is asked of us: a missing factor alone, or everything where it is too old."""
    party = provider.register("OLO")
    browser = provider.log_in(factors=(Factor.PASSWORD,))
    low = provider.verified(party.tokens(browser)["id_token"])
    assert low["acr"] == LOA + "2"
    raised = party.begin(browser, acr_values=LOA + "3")
    assert isinstance(raised, Waiting)
    assert raised.standing.step is Step.CODE
    older = party.begin(browser, acr_values=LOA + "2", max_age="0")
    assert isinstance(older, Waiting)
    assert older.standing.step is Step.PASSWORD
    full = provider.log_in(last_used_at=provider.service("OLO").provider.oin)
    high = provider.verified(party.tokens(full, acr_values=LOA + "3", max_age="600")["id_token"])
    assert high["acr"] == LOA + "3"
    assert int(provider.clock.now().timestamp()) - high["auth_time"] <= 600
