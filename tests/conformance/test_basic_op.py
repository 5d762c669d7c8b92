"""The Basic OpenID Provider profile: the code flow as OpenID Connect Core has it, over real HTTP."""

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from tests.conformance.openid import BY_KEY, CALLBACK, OpenIdClient, asks, own_page, registered, told_in
from tests.conformance.person import Person
from tests.conformance.profile import Profile
from tests.fixtures.sandbox import Demo

BASIC = Profile(
    "Basic OP",
    {
        "OP-flow": ("Core 3.1.2.5", "A login ends at the redirect address with a code and the state as it was sent."),
        "OP-tokens": (
            "Core 3.1.3.3",
            "A code gives an access token with type and life, and an ID token, uncached.",
        ),
        "OP-type-missing": ("Core 3.1.2.6", "A request without response_type is an error at the redirect address."),
        "OP-type-other": ("Core 3.1.2.6", "Another response_type than code is unsupported_response_type."),
        "OP-scope-openid": ("Core 3.1.2.1", "A request without the scope openid is no request of OpenID Connect."),
        "OP-id-claims": ("Core 2", "The ID token states iss, sub, aud, exp and iat; aud is the client."),
        "OP-id-signature": ("Core 3.1.3.7", "The ID token is signed by a published key that its kid names."),
        "OP-nonce": ("Core 3.1.2.1", "A nonce comes back unchanged in the ID token."),
        "OP-no-nonce": ("Core 3.1.2.1", "A code flow without nonce works, and its ID token has none."),
        "OP-at-hash": ("Core 3.1.3.6", "The at_hash, where it stands, is that of the access token."),
        "OP-userinfo-get": ("Core 5.3.1", "Userinfo answers a GET with the token in the header."),
        "OP-userinfo-post": ("Core 5.3.1", "Userinfo answers a POST with the token in the header."),
        "OP-userinfo-body": ("RFC 6750 2.2", "Userinfo answers a POST with the token in the form."),
        "OP-userinfo-sub": ("Core 5.3.2", "Userinfo states the sub of the ID token."),
        "OP-userinfo-error": (
            "Core 5.3.3",
            "Userinfo refuses a wrong token by a challenge with invalid_token.",
        ),
        "OP-scope-order": ("Core 5.4", "Scopes may stand in any order."),
        "OP-scope-claims": (
            "Core 5.4",
            "The scopes profile, email, address and phone do no harm.",
        ),
        "OP-scope-unknown": ("Core 3.1.2.1", "Unknown scopes are passed over."),
        "OP-display": ("Core 3.1.2.1", "Every display of the standard is accepted."),
        "OP-prompt-login": ("Core 3.1.2.1", "prompt=login asks the person again; auth_time moves on."),
        "OP-prompt-none-out": ("Core 3.1.2.1", "prompt=none without a session is login_required, without any page."),
        "OP-prompt-none-in": ("Core 3.1.2.1", "prompt=none with a session gives a code at once, for the same person."),
        "OP-prompt-none-mixed": ("Core 3.1.2.1", "prompt=none beside another value is an error."),
        "OP-prompt-consent": ("Core 3.1.2.1", "prompt=consent asks although the person is logged in."),
        "OP-prompt-select": ("Core 3.1.2.1", "prompt=select_account lets the person choose another account."),
        "OP-max-age-1": ("Core 3.1.2.1", "A max_age that is exceeded asks the person again."),
        "OP-max-age-10000": (
            "Core 3.1.2.1",
            "A max_age that is not exceeded asks nothing; auth_time is told and stays.",
        ),
        "OP-unknown": ("Core 3.1.2.1", "Unknown parameters are passed over."),
        "OP-hint": (
            "Core 3.1.2.1",
            "An id_token_hint, however old, with prompt=none gives a code for that person.",
        ),
        "OP-hint-other": (
            "Core 3.1.2.1",
            "An id_token_hint of another person is login_required, never a code.",
        ),
        "OP-hint-foreign": ("Core 3.1.2.1", "An id_token_hint that is not ours is invalid_request."),
        "OP-login-hint": ("Core 3.1.2.1", "A login_hint is accepted and stands on the page."),
        "OP-ui-locales": ("Core 3.1.2.1", "ui_locales choose the language, and unknown ones do no harm."),
        "OP-claims-locales": ("Core 5.2", "claims_locales do no harm."),
        "OP-acr": ("Core 3.1.2.1", "acr_values are accepted and the acr is told."),
        "OP-acr-essential": ("Core 5.5.1.1", "An essential acr that cannot be reached is refused."),
        "OP-claims": (
            "Core 5.5",
            "Claims asked by name come where they were asked; unknown ones do no harm.",
        ),
        "OP-code-once": ("Core 3.1.3.2", "A code counts once; the second use is invalid_grant."),
        "OP-code-revokes": ("RFC 6749 4.1.2", "The second use ends the access token of the first."),
        "OP-code-redirect": ("Core 3.1.3.2", "The exchange names the redirect address of the request."),
        "OP-code-client": ("Core 3.1.3.2", "A code counts for the client it was given to."),
        "OP-redirect": (
            "Core 3.1.2.1",
            "An unregistered address hears nothing; the person sees a page of ours.",
        ),
        "OP-client": ("Core 3.1.2.1", "An unknown client hears nothing; the person sees a page of ours."),
        "OP-post": ("Core 3.1.2.1", "The authorization endpoint takes a POST."),
        "OP-auth-basic": ("Core 9", "A client proves itself by client_secret_basic."),
        "OP-auth-post": ("Core 9", "A client proves itself by client_secret_post."),
        "OP-auth-key": ("Core 9", "A client proves itself by private_key_jwt."),
        "OP-auth-wrong": ("RFC 6749 5.2", "A wrong secret is invalid_client with status 401."),
        "OP-object-unsigned": ("Core 6.1", "An unsigned request object is refused with an error of the standard."),
        "OP-object": ("Core 6.1", "A signed request object is taken, with its redirect address."),
        "OP-object-uri": ("Core 6.2", "A request_uri of a foreign address is request_uri_not_supported."),
        "OP-registration": ("Core 7.2.1", "Registration in a request is registration_not_supported."),
        "OP-iss": ("RFC 9207 2", "Every answer, also an error, states our issuer."),
        "OP-refresh": ("Core 12", "A refresh token gives new tokens for the same sub, with the same auth_time."),
        "OP-refresh-client": ("RFC 6749 6", "A refresh token counts for the client it was given to."),
        "OP-offline": ("Core 11", "Without offline_access, or without the grant type, there is no refresh token."),
        "OP-cancel": ("Core 3.1.2.6", "A refusal by the provider or the person is an error at the redirect address."),
        "OP-twice": ("RFC 6749 3.1", "A parameter that stands twice is invalid_request."),
    },
)
UNKNOWN_CODE = "x" * 43
CLIENTS: dict[str, dict[str, Any]] = {
    "basic": {"grant_types": ["authorization_code", "refresh_token"]},
    "other": {"grant_types": ["authorization_code", "refresh_token"]},
    "post": {"token_endpoint_auth_method": "client_secret_post"},
    "key": {**BY_KEY, "token_endpoint_auth_signing_alg": "ES256"},
    "uwv": {"services": "UWV"},
    "consent": {"services": "UWV"},
}


@pytest.fixture(scope="module")
def clients(demo: Demo) -> Iterator[dict[str, OpenIdClient]]:
    """Every client of this file."""
    demo.reset()
    with registered(demo, CLIENTS) as made:
        yield made


@pytest.fixture(scope="module")
def client(clients: dict[str, OpenIdClient]) -> OpenIdClient:
    """The client of most tests."""
    return clients["basic"]


@pytest.fixture(scope="module")
def anna(demo: Demo, client: OpenIdClient) -> Person:
    """Anna, logged in."""
    person = Person(demo, "anna")
    client.code(person)
    return person


def error_of(response: requests.Response, client: OpenIdClient) -> str:
    """The error that a client hears at once, with its state and our issuer."""
    assert response.status_code == 303, response.text[:500]
    assert response.headers["Location"].startswith(client.redirect_uri)
    told = told_in(response.headers["Location"])
    assert (told.get("state"), told["iss"]) == (client.last.get("state"), client.demo.base_url)
    assert "code" not in told
    return told["error"]


@BASIC.proves("OP-flow", "OP-tokens", "OP-id-claims", "OP-id-signature", "OP-nonce", "OP-iss", "OP-auth-basic")
def test_the_whole_flow(client: OpenIdClient, anna: Person) -> None:
    """A login brings code, state and issuer, and the code tokens that check out."""
    told = client.visit(anna)
    assert set(told) == {"code", "state", "iss"}
    assert (told["state"], told["iss"]) == (client.last["state"], client.demo.base_url)
    answer = client.redeem(told["code"])
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    tokens = answer.json()
    assert (tokens["token_type"], tokens["expires_in"] > 0) == ("Bearer", True)
    claims = client.claims(tokens["id_token"])
    assert (claims["iss"], claims["aud"]) == (client.demo.base_url, client.client_id)
    assert claims["iat"] <= time.time() + 1 < claims["exp"]
    assert len(claims["sub"]) <= 255
    assert claims["nonce"] == client.last["nonce"]


@BASIC.proves("OP-type-missing", "OP-type-other", "OP-scope-openid", "OP-registration", "OP-prompt-none-mixed")
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unsupported_response_type"),
        ({"scope": "email"}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
    ],
)
def test_a_faulty_request_is_told_to_the_client(client: OpenIdClient, changes: dict[str, Any], error: str) -> None:
    """Each fault is its error at the redirect address, before any page."""
    assert error_of(client.go(**changes), client) == error


@BASIC.proves("OP-no-nonce")
def test_a_nonce_is_optional_with_pkce(client: OpenIdClient, anna: Person) -> None:
    """Where PKCE protects the code a nonce may be left out."""
    assert "nonce" not in client.claims(client.tokens(anna, nonce=None)["id_token"])


@BASIC.proves("OP-at-hash", "OP-userinfo-get", "OP-userinfo-post", "OP-userinfo-body", "OP-userinfo-sub")
def test_userinfo_in_all_its_ways(client: OpenIdClient, anna: Person) -> None:
    """Header and form, GET and POST tell the same, about the person of the ID token."""
    tokens = client.tokens(anna)
    where, header = client.demo.url("/oidc/userinfo"), {"Authorization": f"Bearer {tokens['access_token']}"}
    answers = [
        requests.get(where, headers=header, timeout=60),
        requests.post(where, headers=header, timeout=60),
        requests.post(where, data={"access_token": tokens["access_token"]}, timeout=60),
    ]
    assert [one.status_code for one in answers] == [200] * 3
    assert answers[0].json() == answers[1].json() == answers[2].json()
    claims = client.claims(tokens["id_token"])
    assert answers[0].json()["sub"] == claims["sub"]
    assert claims["at_hash"]


@BASIC.proves("OP-userinfo-error")
def test_userinfo_refuses_strangers(client: OpenIdClient) -> None:
    """A wrong token is 401 with the error in the challenge."""
    answer = client.userinfo("nonsense")
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


@BASIC.proves("OP-scope-order", "OP-scope-claims", "OP-scope-unknown")
@pytest.mark.parametrize("scope", ["email openid", "openid profile email", "openid address phone", "openid unheard_of"])
def test_scopes_do_no_harm(client: OpenIdClient, anna: Person, scope: str) -> None:
    """Any order and any unknown scope still logs in."""
    assert client.claims(client.tokens(anna, scope=scope)["id_token"])["sub"]


@BASIC.proves("OP-display", "OP-unknown", "OP-claims-locales", "OP-ui-locales", "OP-login-hint")
@pytest.mark.parametrize(
    "changes",
    [
        {"display": "page"},
        {"display": "popup"},
        {"display": "touch"},
        {"display": "wap"},
        {"made_up": "value"},
        {"claims_locales": "se"},
        {"ui_locales": "se en"},
        {"login_hint": "anna"},
    ],
    ids=str,
)
def test_parameters_that_only_advise_do_no_harm(client: OpenIdClient, anna: Person, changes: dict[str, str]) -> None:
    """A session answers as without them."""
    assert "code" in told_in(client.go(anna.session, **changes).headers["Location"])


@BASIC.proves("OP-ui-locales", "OP-login-hint")
def test_language_and_name_stand_on_the_page(client: OpenIdClient) -> None:
    """The first page is in the language asked and names the person hinted at."""
    where = client.address(client.request(ui_locales="fr en", login_hint="anna"))
    page = requests.get(where, timeout=60)
    assert '<html lang="en"' in page.text
    assert 'value="anna"' in page.text
    assert '<html lang="nl"' in requests.get(client.address(client.request(ui_locales="nl-NL")), timeout=60).text


@BASIC.proves("OP-prompt-none-out", "OP-iss")
def test_prompt_none_without_a_session(client: OpenIdClient) -> None:
    """Nobody is asked, and the client hears so."""
    assert error_of(client.go(prompt="none"), client) == "login_required"


@BASIC.proves("OP-prompt-none-in", "OP-hint", "OP-max-age-10000")
def test_prompt_none_with_a_session(client: OpenIdClient, anna: Person) -> None:
    """The session answers at once: the same person, the same moment of authentication."""
    first = client.tokens(anna)
    claims = client.claims(first["id_token"])
    for changes in ({}, {"id_token_hint": first["id_token"]}, {"max_age": "10000"}):
        told = told_in(client.go(anna.session, prompt="none", **changes).headers["Location"])
        again = client.claims(client.redeem(told["code"]).json()["id_token"])
        assert (again["sub"], again["auth_time"]) == (claims["sub"], claims["auth_time"])


@BASIC.proves("OP-prompt-login", "OP-max-age-1")
@pytest.mark.parametrize("changes", [{"prompt": "login"}, {"max_age": "0"}, {"max_age": "1"}], ids=str)
def test_the_person_is_asked_again(client: OpenIdClient, demo: Demo, changes: dict[str, str]) -> None:
    """A session does not answer, and the new ID token tells the new moment."""
    person = Person(demo, "emre")
    before = client.claims(client.tokens(person)["id_token"])["auth_time"]
    time.sleep(2.1)
    assert asks(client.go(person.session, **changes), demo)
    after = client.claims(client.tokens(person, **changes)["id_token"])["auth_time"]
    assert after > before + 1


@BASIC.proves("OP-prompt-consent", "OP-prompt-select")
@pytest.mark.parametrize("prompt", ["consent", "select_account", "login consent", "consent select_account"])
def test_the_person_is_asked_something(client: OpenIdClient, anna: Person, prompt: str) -> None:
    """Although a session is there, a page comes first."""
    assert asks(client.go(anna.session, prompt=prompt), client.demo)


@BASIC.proves("OP-hint-other")
def test_a_hint_of_another_person(client: OpenIdClient, anna: Person, demo: Demo) -> None:
    """Anna's session never answers for emre."""
    hint = client.tokens(Person(demo, "emre"))["id_token"]
    assert error_of(client.go(anna.session, prompt="none", id_token_hint=hint), client) == "login_required"
    assert client.visit(anna, id_token_hint=hint)["error"] == "login_required"


@BASIC.proves("OP-hint")
def test_an_old_hint(client: OpenIdClient, anna: Person, demo: Demo) -> None:
    """A hint is a hint after its token ended: ten minutes later it still names the person."""
    hint = client.tokens(anna)["id_token"]
    requests.put(demo.url("/lab/api/clock"), json={"advance_seconds": 600}, timeout=60).raise_for_status()
    try:
        told = told_in(client.go(anna.session, prompt="none", id_token_hint=hint).headers["Location"])
    finally:
        requests.put(demo.url("/lab/api/clock"), json={"release": True}, timeout=60).raise_for_status()
    assert "code" in told, told


@BASIC.proves("OP-hint-foreign")
def test_a_hint_that_is_not_ours(client: OpenIdClient) -> None:
    """A token that somebody else made is no hint, and neither is one of ours that was changed."""
    strange = client.signed({"iss": client.demo.base_url, "sub": "x"}, {}, {})
    assert error_of(client.go(id_token_hint=strange), client) == "invalid_request"


@BASIC.proves("OP-acr", "OP-acr-essential")
def test_levels(clients: dict[str, OpenIdClient], client: OpenIdClient, anna: Person, demo: Demo) -> None:
    """A level asked is reached and told; an essential one that emre does not have is refused."""
    level = "urn:etoegang:core:assurance-class:loa2"
    assert client.claims(client.tokens(anna, acr_values=level)["id_token"])["acr"] >= level
    essential = '{"id_token": {"acr": {"essential": true, "values": ["urn:etoegang:core:assurance-class:loa3"]}}}'
    told = clients["uwv"].visit(Person(demo, "emre"), claims=essential)
    assert told["error"] == "unmet_authentication_requirements"


@BASIC.proves("OP-claims")
def test_claims_by_name(client: OpenIdClient, anna: Person) -> None:
    """The KvK number comes in the ID token or at userinfo, as asked; an unknown claim does no harm."""
    tokens = client.tokens(anna, claims='{"id_token": {"kvk": {"essential": true}}, "userinfo": {"unheard_of": null}}')
    assert client.claims(tokens["id_token"])["kvk"].isdecimal()
    assert "kvk" not in client.userinfo(tokens["access_token"]).json()
    tokens = client.tokens(anna, claims='{"userinfo": {"kvk": null}}')
    assert client.userinfo(tokens["access_token"]).json()["kvk"].isdecimal()
    assert "kvk" not in client.claims(tokens["id_token"])


@BASIC.proves("OP-code-once", "OP-code-revokes")
def test_a_code_counts_once(client: OpenIdClient, anna: Person) -> None:
    """The second use fails, and takes the first token with it."""
    code = client.code(anna)
    tokens = client.redeem(code).json()
    again = client.redeem(code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert client.userinfo(tokens["access_token"]).status_code == 401


@BASIC.proves("OP-code-redirect", "OP-code-client")
def test_a_code_belongs_to_its_request(clients: dict[str, OpenIdClient], client: OpenIdClient, anna: Person) -> None:
    """Without the address, with another one, or by another client a code is worth nothing."""
    missing = client.redeem(client.code(anna), redirect_uri=None)
    assert (missing.status_code, missing.json()["error"]) == (400, "invalid_request")
    for answer in (
        client.redeem(client.code(anna), redirect_uri=CALLBACK + "/x"),
        clients["other"].redeem(client.code(anna)),
        client.redeem(UNKNOWN_CODE),
    ):
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


@BASIC.proves("OP-redirect", "OP-client")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"redirect_uri": None}, "P03"),
        ({"redirect_uri": CALLBACK + "?x=1"}, "P03"),
        ({"redirect_uri": "https://evil.test/"}, "P03"),
        ({"client_id": "unheard-of"}, "P01"),
        ({"client_id": None}, "P01"),
    ],
    ids=str,
)
def test_nobody_hears_of_an_uncertain_sender(client: OpenIdClient, changes: dict[str, Any], code: str) -> None:
    """The browser stays with us, on a page that names the fault."""
    assert own_page(client.go(**changes)) == code


@BASIC.proves("OP-post")
def test_a_request_by_post(client: OpenIdClient, anna: Person) -> None:
    """The same parameters in a form begin the same login."""
    address = client.demo.url("/oidc/authorize")
    answer = anna.session.post(address, data=client.request(), allow_redirects=False, timeout=60)
    assert "code" in told_in(answer.headers["Location"])


@BASIC.proves("OP-auth-basic", "OP-auth-post", "OP-auth-key")
@pytest.mark.parametrize("name", ["basic", "post", "key"])
def test_clients_prove_themselves(clients: dict[str, OpenIdClient], anna: Person, name: str) -> None:
    """Each by its registered method."""
    assert clients[name].tokens(anna)["id_token"]


@BASIC.proves("OP-auth-wrong")
def test_a_wrong_proof(clients: dict[str, OpenIdClient], anna: Person) -> None:
    """A wrong secret is 401 invalid_client; by Basic with a challenge."""
    answer = clients["post"].redeem(UNKNOWN_CODE, client_secret="wrong", client_id=clients["post"].client_id)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    where = clients["basic"].demo.url("/oidc/token")
    answer = requests.post(where, data={"grant_type": "x"}, auth=("x", "y"), timeout=60)
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


@BASIC.proves("OP-object", "OP-object-unsigned", "OP-object-uri")
def test_request_objects(clients: dict[str, OpenIdClient], anna: Person) -> None:
    """Signed ones are taken with their address; unsigned ones and foreign addresses are refused."""
    client = clients["key"]
    signed = {"client_id": client.client_id, "request": client.request_object()}
    told = told_in(anna.session.get(client.address(signed), allow_redirects=False, timeout=60).headers["Location"])
    assert (told["state"], "code" in told) == (client.last["state"], True)
    assert error_of(client.go(request="eyJhbGciOiJub25lIn0.e30."), client) == "invalid_request_object"
    assert error_of(client.go(request_uri=CALLBACK), client) == "request_uri_not_supported"


@BASIC.proves("OP-refresh", "OP-refresh-client")
def test_refreshing(clients: dict[str, OpenIdClient], client: OpenIdClient, anna: Person) -> None:
    """New tokens tell of the same person and the same moment; another client gets none."""
    first = client.tokens(anna, scope="openid offline_access")
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    foreign = clients["other"].post("/oidc/token", form)
    assert (foreign.status_code, foreign.json()["error"]) == (400, "invalid_grant")
    second = client.post("/oidc/token", form)
    assert second.status_code == 200, second.text
    before, after = client.claims(first["id_token"]), client.claims(second.json()["id_token"])
    assert (before["sub"], before["auth_time"], before["iss"]) == (after["sub"], after["auth_time"], after["iss"])
    assert second.json()["access_token"] != first["access_token"]


@BASIC.proves("OP-offline")
def test_no_refresh_token_unless_asked(clients: dict[str, OpenIdClient], client: OpenIdClient, anna: Person) -> None:
    """Neither without the scope nor without the grant type."""
    assert "refresh_token" not in client.tokens(anna)
    assert "refresh_token" not in clients["post"].tokens(anna, scope="openid offline_access")


@BASIC.proves("OP-cancel")
def test_a_refusal_reaches_the_client(clients: dict[str, OpenIdClient], demo: Demo) -> None:
    """Bram has no mandate for the other services' provider; the client hears access_denied and a reference."""
    client = clients["basic"]
    told = client.visit(Person(demo, "bram"))
    assert told["error"] == "access_denied"
    assert (told["state"], told["iss"]) == (client.last["state"], demo.base_url)


@BASIC.proves("OP-twice")
def test_a_parameter_that_stands_twice(client: OpenIdClient) -> None:
    """Known to us or not, it makes the request invalid."""
    query = client.address(client.request()) + "&" + urlencode({"x": "1"}) + "&x=2"
    assert error_of(requests.get(query, allow_redirects=False, timeout=60), client) == "invalid_request"


def test_every_requirement_is_proven() -> None:
    """No requirement of the profile is without a test."""
    assert BASIC.unproven() == []
