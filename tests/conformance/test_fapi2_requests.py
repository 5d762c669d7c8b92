"""FAPI 2.0 Security Profile Final, as far as requests and their answers go, over real HTTP."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from joserfc.jwk import ECKey

from idp.services.relying_parties.settings import BadParty
from tests.conformance.openid import EC, FAPI, OpenIdClient, asks, own_page, registered, told_in
from tests.conformance.person import Person
from tests.conformance.profile import Profile
from tests.fixtures.sandbox import Demo

REQUESTS = Profile(
    "FAPI 2.0 Security Profile, requests",
    {
        "F2-metadata": ("5.3.2.1", "Metadata are published, with the endpoint for pushed requests."),
        "F2-password": ("5.3.2.1", "The password grant is refused."),
        "F2-confidential": ("5.3.2.1", "A client that cannot keep a secret has no place in the profile."),
        "F2-methods": ("5.3.2.1", "Clients prove themselves by key or certificate; secrets are refused."),
        "F2-redirector": ("5.3.2.1", "Nobody is sent to an address that is not registered."),
        "F2-audience": ("5.3.2.1", "An assertion is for our issuer, as one text; any other audience is refused."),
        "F2-assertion": (
            "RFC 7523 3",
            "An old, an endless, a foreign or a repeated assertion fails.",
        ),
        "F2-clock": ("5.3.2.1", "Up to 10 seconds ahead are taken for a clock that differs, more than 60 never."),
        "F2-code-life": ("5.3.2.1", "A code is worth nothing after 60 seconds."),
        "F2-code-key": ("5.3.2.1", "A code can be bound to the key of a DPoP proof, by the push or by dpop_jkt."),
        "F2-code-flow": ("5.3.2.2", "The code flow is there, and no other."),
        "F2-par": ("5.3.2.2", "A client pushes its request after proving itself, and a browser brings the address."),
        "F2-par-only": ("5.3.2.2", "A request that was not pushed is refused, signed or not."),
        "F2-par-proof": ("5.3.2.2", "A push without proof, or with a wrong one, is 401 invalid_client."),
        "F2-pkce": ("5.3.2.2", "PKCE with S256 is required; without it, or with plain, the push fails."),
        "F2-verifier": ("RFC 7636 4.6", "A missing or wrong verifier is refused."),
        "F2-par-redirect": ("5.3.2.2", "A pushed request names its redirect address, a registered one."),
        "F2-iss": ("5.3.2.2", "Every answer, also an error, states our issuer."),
        "F2-https": ("5.3.2.2", "Redirect addresses are https."),
        "F2-303": ("5.3.2.2", "A browser is redirected by 303, never by 307."),
        "F2-par-life": (
            "5.3.2.2-12",
            "A pushed request lives for less than 600 seconds, as the answer says.",
        ),
        "F2-nonce": ("5.3.2", "A nonce of 64 characters is accepted."),
        "F2-par-once": ("RFC 9126 7.3", "The address of a pushed request works once."),
        "F2-par-client": ("RFC 9126 2.2", "The address works for the client that pushed."),
        "F2-par-uri": ("RFC 9126 2.1", "A push cannot name another pushed request."),
        "F2-par-around": ("RFC 9126 4", "What stands beside the address changes nothing."),
        "F2-par-method": ("RFC 9126 2.3", "Another method than POST is 405, and what is no form is refused."),
        "F2-algorithms": (
            "5.4.1",
            "PS256 and ES256 alone sign; others cannot be registered either.",
        ),
        "F2-object": ("RFC 9101 4", "A signed request can be pushed; it must be for us, by the client, and young."),
        "F2-state": ("RFC 6749 4.1.2", "The state comes back unchanged."),
    },
)


@pytest.fixture(scope="module")
def clients(demo: Demo) -> Iterator[dict[str, OpenIdClient]]:
    """Two clients of the profile."""
    demo.reset()
    with registered(demo, {"fapi": FAPI, "other": FAPI}) as made:
        yield made


@pytest.fixture(scope="module")
def client(clients: dict[str, OpenIdClient]) -> OpenIdClient:
    """The client of most tests."""
    return clients["fapi"]


@pytest.fixture(scope="module")
def anna(demo: Demo, client: OpenIdClient) -> Person:
    """Anna, logged in."""
    person = Person(demo, "anna")
    assert "code" in client.visit_handle(person, client.handle())
    return person


def refused(answer: requests.Response, status: int, error: str) -> bool:
    """Whether the back channel refused in OAuth's way."""
    assert answer.headers["Cache-Control"] == "no-store"
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    return True


def arrive(client: OpenIdClient, person: Person, handle: str, **around: str) -> requests.Response:
    """Our first answer to a browser that brings the address of a pushed request."""
    where = client.address({"client_id": client.client_id, "request_uri": handle, **around})
    return person.session.get(where, allow_redirects=False, timeout=60)


@REQUESTS.proves("F2-par", "F2-code-flow", "F2-iss", "F2-303", "F2-state", "F2-par-life", "F2-nonce")
def test_a_pushed_request_becomes_a_code(client: OpenIdClient, anna: Person) -> None:
    """The push is 201 with an address and its life; the browser comes back by 303 with code, state and issuer."""
    answer = client.push(nonce="n" * 64)
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    assert 5 < answer.json()["expires_in"] < 600
    back = arrive(client, anna, answer.json()["request_uri"])
    assert back.status_code == 303
    told = told_in(back.headers["Location"])
    assert set(told) == {"code", "state", "iss"}
    assert (told["state"], told["iss"]) == (client.last["state"], client.demo.base_url)


@REQUESTS.proves("F2-303")
def test_a_person_without_a_session_is_asked(client: OpenIdClient, demo: Demo) -> None:
    """The way to the first page is a 303 too, and so is the way after its form."""
    stranger = Person(demo, "emre")
    first = arrive(client, stranger, client.handle())
    assert asks(first, demo)
    assert "code" in told_in(str(stranger.walk(first)))


@REQUESTS.proves("F2-metadata", "F2-password", "F2-code-flow")
def test_what_is_published(client: OpenIdClient, demo: Demo) -> None:
    """The endpoint for pushed requests stands in discovery; implicit flows and passwords stand nowhere."""
    told = requests.get(demo.url("/.well-known/openid-configuration"), timeout=60).json()
    assert told["pushed_authorization_request_endpoint"] == demo.url("/oidc/par")
    assert told["response_types_supported"] == ["code"]
    assert told["authorization_response_iss_parameter_supported"] is True
    assert "S256" in told["code_challenge_methods_supported"]
    assert "password" not in told["grant_types_supported"]
    answer = client.post("/oidc/token", {"grant_type": "password", "username": "anna", "password": "x"})
    assert refused(answer, 400, "unsupported_grant_type")


@REQUESTS.proves("F2-confidential", "F2-methods", "F2-algorithms", "F2-https")
@pytest.mark.parametrize(
    "members",
    [
        {"token_endpoint_auth_method": "none"},
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"token_endpoint_auth_method": "client_secret_post"},
        {"token_endpoint_auth_method": "client_secret_jwt"},
        {"token_endpoint_auth_signing_alg": "RS256"},
        {"id_token_signed_response_alg": "RS256"},
        {"id_token_signed_response_alg": "none"},
        {"request_object_signing_alg": "RS256"},
        {"authorization_signed_response_alg": "RS256"},
        {"userinfo_signed_response_alg": "RS256"},
        {"redirect_uris": ["http://client.example.test/callback"]},
        {"redirect_uris": ["http://localhost/callback"]},
    ],
    ids=str,
)
def test_what_the_profile_does_not_know_cannot_be_registered(demo: Demo, members: dict[str, Any]) -> None:
    """Secrets, public clients, weaker algorithms and plain http are refused with a sentence."""
    with pytest.raises(BadParty, match=r"\.$"), registered(demo, {"bad": {**FAPI, **members}}):
        pytest.fail("it was registered")


@REQUESTS.proves("F2-methods", "F2-algorithms")
def test_a_client_switched_to_the_profile_is_held_to_it(demo: Demo) -> None:
    """A registration that does not fit is refused at its next request, with the remedy."""
    from idp.office import open_office
    from idp.services.relying_parties import parties
    from idp.settings import load

    with registered(demo, {"switched": {}}) as made:
        office = open_office(load(demo.folder / "config.toml"))
        with office.work("operator") as work:
            parties.configure(work, made["switched"].client_id, {"profile": "fapi-2"})
        office.engine.dispose()
        office.directory._engine.dispose()
        assert refused(made["switched"].push(), 401, "invalid_client")


@REQUESTS.proves("F2-par-only")
def test_a_request_must_be_pushed(client: OpenIdClient, anna: Person) -> None:
    """In the open or signed, it is refused at the redirect address."""
    told = told_in(client.go(anna.session).headers["Location"])
    assert (told["error"], told["iss"], "code" in told) == ("invalid_request", client.demo.base_url, False)
    signed = {"client_id": client.client_id, "request": client.request_object()}
    answer = anna.session.get(client.address(signed), allow_redirects=False, timeout=60)
    assert told_in(answer.headers["Location"])["error"] == "invalid_request"


@REQUESTS.proves("F2-par-proof")
def test_a_push_needs_proof(client: OpenIdClient, clients: dict[str, OpenIdClient]) -> None:
    """Without, by a secret, or by another client's assertion nothing is kept."""
    where, form = client.demo.url("/oidc/par"), client.request()
    assert refused(requests.post(where, data=form, timeout=60), 401, "invalid_client")
    assert refused(client.post("/oidc/par", form | {"client_secret": "x"}), 401, "invalid_client")
    assert refused(client.post("/oidc/par", form | clients["other"].proof()), 400, "invalid_request")
    broken = client.proof()
    broken["client_assertion"] = broken["client_assertion"][:-6] + "AAAAAA"
    assert refused(client.post("/oidc/par", form | broken), 401, "invalid_client")


@REQUESTS.proves("F2-audience")
@pytest.mark.parametrize("path", ["/oidc/par", "/oidc/token"])
def test_an_assertion_is_for_our_issuer(client: OpenIdClient, path: str) -> None:
    """An endpoint, a list, even of one, and a foreign audience are refused at every endpoint."""
    us = client.demo.base_url
    for audience in (us + path, us + "/oidc/token", [us], [us, "https://elsewhere.test"], us + "/", "x", None):
        proof = client.proof(aud=audience)
        assert refused(client.post(path, client.request() | proof), 401, "invalid_client"), audience


@REQUESTS.proves("F2-assertion")
def test_an_assertion_is_young_and_counts_once(client: OpenIdClient, clients: dict[str, OpenIdClient]) -> None:
    """Ended, without end, years ahead, without mark, of another, unencoded: refused; and the same one twice."""
    now = int(time.time())
    for changes in (
        {"exp": now - 60},
        {"exp": None},
        {"exp": now + 10 * 365 * 86400},
        {"jti": None},
        {"iss": clients["other"].client_id},
        {"header": {"b64": False, "crit": ["b64"]}},
        {"header": {"alg": "RS256"}},
    ):
        assert refused(client.post("/oidc/par", client.request() | client.proof(**changes)), 401, "invalid_client")
    proof = client.proof()
    assert client.post("/oidc/par", client.request() | proof).status_code == 201
    assert refused(client.post("/oidc/par", client.request() | proof), 401, "invalid_client")


@REQUESTS.proves("F2-clock")
def test_clocks_may_differ_a_little(client: OpenIdClient) -> None:
    """Eight seconds ahead are taken, seventy are not."""
    near, far = int(time.time()) + 8, int(time.time()) + 70
    assert client.post("/oidc/par", client.request() | client.proof(iat=near, nbf=near)).status_code == 201
    for changes in ({"iat": far}, {"nbf": far}):
        assert refused(client.post("/oidc/par", client.request() | client.proof(**changes)), 401, "invalid_client")


@REQUESTS.proves("F2-pkce", "F2-par-redirect", "F2-redirector", "F2-par-uri", "F2-code-flow")
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"redirect_uri": "https://evil.test/"}, "invalid_request"),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": "token"}, "unsupported_response_type"),
    ],
    ids=str,
)
def test_a_faulty_push_is_refused(client: OpenIdClient, changes: dict[str, Any], error: str) -> None:
    """Each fault is told to the client at once."""
    assert refused(client.push(**changes), 400, error)


@REQUESTS.proves("F2-redirector")
def test_nobody_is_sent_to_strangers(client: OpenIdClient, anna: Person) -> None:
    """Whatever is wrong, a browser with an unregistered address stays with us."""
    for changes in ({}, {"response_type": "token"}, {"scope": None}):
        assert own_page(client.go(anna.session, redirect_uri="https://evil.test/", **changes)) == "P03"
    assert own_page(arrive(client, anna, "https://evil.test/request")) == "P13"


@REQUESTS.proves("F2-par-once", "F2-par-client", "F2-par-around")
def test_the_address_is_bound(client: OpenIdClient, clients: dict[str, OpenIdClient], anna: Person) -> None:
    """Another client gets nothing for it, parameters beside it count for nothing, and it works once."""
    handle = client.handle()
    state = client.last["state"]
    assert own_page(arrive(clients["other"], anna, handle)) == "P13"
    back = arrive(client, anna, handle, state="another", redirect_uri="https://evil.test/", prompt="login")
    told = told_in(back.headers["Location"])
    assert (told["state"], "code" in told) == (state, True)
    assert own_page(arrive(client, anna, handle)) == "P13"


@REQUESTS.proves("F2-par-once")
def test_looking_at_a_link_does_not_spend_it(client: OpenIdClient, anna: Person) -> None:
    """A HEAD, as scanners of links send it, leaves the pushed request alone."""
    handle = client.handle()
    where = client.address({"client_id": client.client_id, "request_uri": handle})
    assert anna.session.head(where, timeout=60).status_code == 405
    assert "code" in told_in(arrive(client, anna, handle).headers["Location"])


@REQUESTS.proves("F2-par-life", "F2-code-life")
def test_lives_are_short(client: OpenIdClient, anna: Person, demo: Demo) -> None:
    """After 90 seconds the address is worth nothing, after 60 the code."""
    handle = client.handle()
    code = client.visit_handle(anna, client.handle())["code"]
    requests.put(demo.url("/lab/api/clock"), json={"advance_seconds": 100}, timeout=60).raise_for_status()
    try:
        assert own_page(arrive(client, anna, handle)) == "P13"
        now = int(time.time()) + 100
        proofs: dict[str, Any] = client.proof(iat=now, exp=now + 60)
        assert refused(client.redeem(code, proof={"iat": now}, **proofs), 400, "invalid_grant")
    finally:
        requests.put(demo.url("/lab/api/clock"), json={"release": True}, timeout=60).raise_for_status()


@REQUESTS.proves("F2-verifier")
@pytest.mark.parametrize("verifier", [None, "w" * 43])
def test_a_code_needs_its_verifier(client: OpenIdClient, anna: Person, verifier: str | None) -> None:
    """Without, or with another one, there are no tokens."""
    code = client.visit_handle(anna, client.handle())["code"]
    assert refused(client.redeem(code, code_verifier=verifier), 400, "invalid_grant")
    assert client.redeem(client.visit_handle(anna, client.handle())["code"]).status_code == 200


@REQUESTS.proves("F2-code-key")
def test_a_code_is_bound_to_the_key_that_pushed(client: OpenIdClient, anna: Person) -> None:
    """By a proof with the push, or by dpop_jkt, a code counts for the holder of that key alone."""
    other = ECKey.generate_key("P-256")
    for key, error in ((EC, ""), (other, "invalid_grant")):
        pushed = (
            client.prove_and_post("/oidc/par", client.request()),
            client.push(dpop_jkt=EC.thumbprint()),
        )
        for answer in pushed:
            code = client.visit_handle(anna, answer.json()["request_uri"])["code"]
            redeemed = client.redeem(code, key=key)
            assert redeemed.status_code == 200 if not error else refused(redeemed, 400, error)
    answer = client.prove_and_post("/oidc/par", client.request(dpop_jkt=other.thumbprint()))
    assert refused(answer, 400, "invalid_dpop_proof")


@REQUESTS.proves("F2-par-method")
def test_a_push_is_a_posted_form(client: OpenIdClient) -> None:
    """GET is 405; JSON is refused."""
    where = client.demo.url("/oidc/par")
    assert requests.get(where, timeout=60).status_code == 405
    assert refused(requests.post(where, json={}, timeout=60), 400, "invalid_request")


@REQUESTS.proves("F2-object", "F2-algorithms")
def test_a_signed_request_is_pushed(client: OpenIdClient, anna: Person) -> None:
    """ES256 and PS256 are taken; RS256, a foreign audience or issuer, an old or endless object are not."""

    def push(**changes: Any) -> requests.Response:
        return client.post("/oidc/par", {"client_id": client.client_id, "request": client.request_object(**changes)})

    answer = push()
    assert answer.status_code == 201, answer.text
    told = told_in(arrive(client, anna, answer.json()["request_uri"]).headers["Location"])
    assert (told["state"], "code" in told) == (client.last["state"], True)
    assert push(header={"alg": "PS256"}).status_code == 201
    now = int(time.time())
    for changes in (
        {"header": {"alg": "RS256"}},
        {"aud": "https://elsewhere.test"},
        {"iss": "somebody"},
        {"client_id": "somebody"},
        {"exp": None},
        {"nbf": None},
        {"exp": now - 60},
        {"exp": now + 7200},
        {"nbf": now - 7200},
        {"nbf": now + 70},
    ):
        assert refused(push(**changes), 400, "invalid_request_object"), changes


def test_every_requirement_is_proven() -> None:
    """No requirement of the profile is without a test."""
    assert REQUESTS.unproven() == []
