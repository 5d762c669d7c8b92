"""Requests at the authorization endpoint: what is read, what is answered with a fault, what is answered nowhere."""

from urllib.parse import urlencode

import pytest

from idp.domain.login import LoginRequest
from idp.protocols.message import Answered, BadRequest, HttpMessage, PostForm
from tests.protocol.oidc_kit import (
    BASE,
    CALLBACK,
    FORM,
    NONCE,
    STATE,
    VERIFIER,
    Provider,
    RelyingParty,
    challenge_of,
    parameters_of,
)

CHALLENGE = challenge_of(VERIFIER)
NL_GOV = {"profile": "nl-gov"}
# Changes to a good request, the error the client hears, and our own code for it.
FAULTS = [
    ({"response_type": None}, "invalid_request", "P06"),
    ({"response_type": "token"}, "unsupported_response_type", "P06"),
    ({"response_type": "code id_token"}, "unsupported_response_type", "P06"),
    ({"response_type": "none"}, "unsupported_response_type", "P06"),
    ({"response_mode": "fragment"}, "invalid_request", "P06"),
    ({"request": "eyJhbGciOiJub25lIn0.e30."}, "invalid_request_object", "P13"),
    ({"request": "x", "request_uri": "y"}, "invalid_request", "P13"),
    ({"request_uri": "urn:ietf:params:oauth:request_uri:unknown"}, "invalid_request_uri", "P13"),
    ({"display": "hologram"}, "invalid_request", "P10"),
    ({"request_uri": "https://elsewhere.test/request"}, "request_uri_not_supported", "P13"),
    ({"registration": "{}"}, "registration_not_supported", "P06"),
    ({"scope": None}, "invalid_scope", "P15"),
    ({"scope": "profile"}, "invalid_scope", "P15"),
    ({"scope": "openid service:99999999-9999-4999-8999-999999999999"}, "invalid_scope", "P15"),
    ({"scope": "openid urn:uuid:not-a-uuid"}, "invalid_scope", "P15"),
    ({"code_challenge": None}, "invalid_request", "P11"),
    ({"code_challenge": None, "code_challenge_method": None}, "invalid_request", "P11"),
    ({"code_challenge_method": None}, "invalid_request", "P11"),
    ({"code_challenge_method": "plain"}, "invalid_request", "P11"),
    ({"code_challenge": CHALLENGE[:-1]}, "invalid_request", "P11"),
    ({"code_challenge": CHALLENGE + "A"}, "invalid_request", "P11"),
    ({"code_challenge": CHALLENGE[:-1] + "="}, "invalid_request", "P11"),
    ({"prompt": "none login"}, "invalid_request", "P10"),
    ({"prompt": "create"}, "invalid_request", "P10"),
    ({"max_age": "-1"}, "invalid_request", "P10"),
    ({"max_age": "1e3"}, "invalid_request", "P10"),
    ({"max_age": "٣"}, "invalid_request", "P10"),
    ({"max_age": "9" * 30}, "invalid_request", "P10"),
    ({"claims": "[]"}, "invalid_request", "P10"),
    ({"claims": "{"}, "invalid_request", "P10"),
    ({"claims": "[" * 4000}, "invalid_request", "P10"),
    ({"claims": '{"id_token": []}'}, "invalid_request", "P10"),
    ({"claims": '{"userinfo": {"kvk": 1}}'}, "invalid_request", "P10"),
    ({"claims": '{"id_token": {"sub": {"values": ["A", "B"]}}}'}, "invalid_request", "P10"),
    ({"id_token_hint": "nonsense"}, "invalid_request", "P10"),
    ({"acr_values": "urn:unknown"}, "invalid_request", "P07"),
    ({"nonce": "a\x00b"}, "invalid_request", "P10"),
    ({"nonce": "n" * 20000}, "invalid_request", "P10"),
    ({"nonce": "n" * 2049}, "invalid_request", "P10"),
    ({"nonce": "é" * 1025}, "invalid_request", "P10"),
    ({"state": "s" * 2049}, "invalid_request", "P10"),
]


@pytest.fixture(scope="module")
def provider(shared_provider: Provider) -> Provider:
    """Nothing here changes the provider."""
    return shared_provider


@pytest.fixture(scope="module")
def party(provider: Provider) -> RelyingParty:
    """A client for two services of one provider."""
    return provider.register("RVO-3,RVO-2PLUS")


def read(party: RelyingParty, **changes: str | None) -> LoginRequest:
    """What a request asks."""
    return read_query(party, urlencode(party.request(**changes)))


def read_query(party: RelyingParty, query: str) -> LoginRequest:
    """What a query asks."""
    message = HttpMessage("GET", "/oidc/authorize", query.encode())
    return party.provider.codec.read(party.provider.office, message, party.provider.clock.now()).asked


def check_fault(caught: pytest.ExceptionInfo[Answered], error: str, code: str, state: str | None = STATE) -> None:
    """The client hears the error, its state and our issuer, and no code (RFC 9207)."""
    told = parameters_of(caught.value.answer)
    assert (told["error"], told["iss"], told.get("state")) == (error, BASE, state)
    assert told["error_description"]
    assert "code" not in told
    assert caught.value.code == code


def test_a_plain_request_asks_the_default_service_at_its_level(party: RelyingParty) -> None:
    """A request that says nothing more asks the first service at the level of the catalogue, of anyone."""
    asked = read(party)
    assert (asked.level.label, asked.service) == ("EH3", party.provider.service("RVO-3").instance_uuid)
    assert (asked.force, asked.passive, asked.ask_consent, asked.choose) == (False, False, False, False)
    assert (asked.max_age, asked.subject, asked.attributes, asked.locales) == (None, None, (), ())


@pytest.mark.parametrize(("changes", "error", "code"), FAULTS)
def test_a_faulty_request_is_answered_to_the_client(
    party: RelyingParty, changes: dict[str, str | None], error: str, code: str
) -> None:
    """Every fault after client and address are certain reaches the client as an OAuth error."""
    with pytest.raises(Answered) as caught:
        read(party, **changes)
    check_fault(caught, error, code, changes.get("state", STATE))


@pytest.mark.parametrize(
    "name", ["response_type", "scope", "state", "nonce", "code_challenge", "prompt", "claims", "made_up"]
)
def test_a_parameter_stands_once(party: RelyingParty, name: str) -> None:
    """A parameter that stands twice, known to us or not, is refused (SEC-4)."""
    with pytest.raises(Answered) as caught:
        read_query(party, urlencode(party.request(**{name: "openid"})) + f"&{name}=openid")
    check_fault(caught, "invalid_request", "P10", None if name == "state" else STATE)


@pytest.mark.parametrize(("name", "code"), [("client_id", "P01"), ("redirect_uri", "P03")])
def test_who_asks_and_whereto_stand_once(party: RelyingParty, name: str, code: str) -> None:
    """A doubled client or address makes the sender uncertain, so nothing is sent anywhere (SEC-19)."""
    given = party.request()
    with pytest.raises(BadRequest) as caught:
        read_query(party, urlencode(given) + "&" + urlencode({name: given[name]}))
    assert caught.value.code == code


@pytest.mark.parametrize("client_id", [None, "", "unknown", "x" * 300, "a\x00b", "a b", "é"])
def test_an_unknown_client_is_answered_nowhere(party: RelyingParty, client_id: str | None) -> None:
    """Who is not registered gets our own page (SEC-19)."""
    with pytest.raises(BadRequest) as caught:
        read(party, client_id=client_id)
    assert caught.value.code == "P01"


@pytest.mark.parametrize(
    "address",
    [
        None,
        "",
        CALLBACK + "/",
        CALLBACK + "?x=1",
        CALLBACK + "#x",
        CALLBACK.upper(),
        CALLBACK.replace("https", "http"),
        CALLBACK.replace(".test", ".test:443"),
        CALLBACK.replace("//", "//user@"),
        "https://client.example.test/other/../callback",
        "https://client.example.test/%63allback",
        "https://evil.test/callback",
        "//client.example.test/callback",
        "javascript:alert(1)",
    ],
)
def test_an_address_is_the_registered_one_to_the_letter(party: RelyingParty, address: str | None) -> None:
    """Anything but a registered address, letter for letter, gets our own page (SEC-19)."""
    with pytest.raises(BadRequest) as caught:
        read(party, redirect_uri=address)
    assert caught.value.code == "P03"


def test_a_native_client_listens_on_any_port(provider: Provider) -> None:
    """A native client may vary the port of a loopback literal, and nothing else (RFC 8252)."""
    registered = ["http://127.0.0.1/cb", "http://[::1]:9/cb?a=1", "nl.example.app:/cb"]
    native = provider.register(redirect_uris=registered, application_type="native", token_endpoint_auth_method="none")
    for good in (*registered, "http://127.0.0.1:54321/cb", "http://[::1]:1/cb?a=1"):
        assert read(native, redirect_uri=good).reply["redirect_uri"] == good
    for bad in (
        "http://127.0.0.1:54321/other",
        "http://127.0.0.1:x/cb",
        "http://127.0.0.1:99999/cb",
        "http://127.0.0.1:5@evil.test/cb",
        "http://localhost:5/cb",
        "http://127.0.0.2:5/cb",
        "https://127.0.0.1:5/cb",
        "http://[::1]:1/cb",
        "http://127.0.0.1:5/cb#x",
        "nl.example.app:/cb2",
    ):
        with pytest.raises(BadRequest):
            read(native, redirect_uri=bad)


def test_a_web_client_has_one_port(provider: Provider) -> None:
    """Only a native client may vary its port."""
    web = provider.register(redirect_uris=["http://127.0.0.1/cb"])
    with pytest.raises(BadRequest):
        read(web, redirect_uri="http://127.0.0.1:54321/cb")


@pytest.mark.parametrize("query", [b"client_id=%zz", b"client_id=%ff", b"\xff=1", b"a=1&" * 100, b"client_id=%"])
def test_a_query_that_is_no_form_gets_our_own_page(party: RelyingParty, query: bytes) -> None:
    """Broken escapes, broken UTF-8 and floods of parameters are refused before anything is looked up (SEC-3)."""
    with pytest.raises(BadRequest) as caught:
        read_query(party, query.decode("latin-1")) if query.isascii() else party.provider.codec.read(
            party.provider.office, HttpMessage("GET", "/oidc/authorize", query), party.provider.clock.now()
        )
    assert caught.value.code == "P10"


def test_a_request_may_be_posted(party: RelyingParty) -> None:
    """The same request by POST is the same login; a parameter in both places stands twice."""
    body = urlencode(party.request()).encode()
    office, codec, now = party.provider.office, party.provider.codec, party.provider.clock.now()
    posted = codec.read(office, HttpMessage("POST", "/oidc/authorize", b"", body, FORM), now)
    assert posted.asked == read(party)
    with pytest.raises(Answered) as caught:
        codec.read(office, HttpMessage("POST", "/oidc/authorize", b"nonce=x", body, FORM), now)
    check_fault(caught, "invalid_request", "P10")
    with pytest.raises(BadRequest):
        codec.read(office, HttpMessage("POST", "/oidc/authorize", b"", body, "application/json"), now)


def test_form_post_is_answered_as_a_form(party: RelyingParty) -> None:
    """A fault of a request with ``response_mode=form_post`` comes as fields of a form, values untouched."""
    odd = 'a b"<é&='
    with pytest.raises(Answered) as caught:
        read(party, response_mode="form_post", state=odd, prompt="create")
    assert isinstance(caught.value.answer, PostForm)
    assert caught.value.answer.action == CALLBACK
    check_fault(caught, "invalid_request", "P10", odd)


def test_prompts_and_age_become_wishes(party: RelyingParty) -> None:
    """Prompt, max_age, login_hint and ui_locales become what the login is told."""
    asked = read(
        party, prompt="login consent select_account", login_hint="anna", ui_locales="fr en-GB nl en", max_age="60"
    )
    assert (asked.force, asked.passive, asked.ask_consent, asked.choose) == (True, False, True, True)
    assert (asked.login_hint, asked.locales, asked.max_age) == ("anna", ("en", "nl"), 60)
    assert read(party, max_age="0").force
    assert not read(party, max_age="1").force
    passive = read(party, prompt="none", max_age="0")
    assert (passive.passive, passive.force, passive.max_age) == (True, False, 0)
    assert read(party, login_hint="x" * 300).login_hint == ""


def test_a_registered_age_holds_where_none_is_asked(provider: Provider) -> None:
    """``default_max_age`` counts unless the request says otherwise."""
    party = provider.register(default_max_age=0)
    assert (read(party).force, read(party).max_age) == (True, 0)
    assert (read(party, max_age="30").force, read(party, max_age="30").max_age) == (False, 30)


def test_the_scope_chooses_the_service(party: RelyingParty) -> None:
    """A service is chosen by ``service:`` or ``urn:uuid:`` with a UUID, or by its name; two at once are refused."""
    wanted = party.provider.service("RVO-2PLUS")
    names = (
        f"service:{wanted.uuid}",
        f"urn:uuid:{wanted.uuid.upper()}",
        f"service:{wanted.instance_uuid}",
        wanted.slug,
    )
    for scope in (f"openid {name}" for name in names):
        asked = read(party, scope=scope)
        assert (asked.service, asked.level.label) == (wanted.instance_uuid, "EH2+")
        assert asked.reply["scope"] == scope
    for scope in ("openid RVO-3 RVO-2PLUS", f"openid UWV service:{party.provider.service('UWV').uuid}"):
        with pytest.raises(Answered) as caught:
            read(party, scope=scope)
        check_fault(caught, "invalid_scope", "P15")


def test_scopes_that_are_not_to_be_had_are_passed_over(provider: Provider) -> None:
    """Unknown, unregistered and refresh scopes without the grant type are left out of what is granted."""
    asked = read(provider.register(), scope="openid foo kvk offline_access openid")
    assert asked.reply["scope"] == "openid kvk"
    asked = read(provider.register(scope="openid eherkenning"), scope="openid kvk eherkenning UWV")
    assert asked.reply["scope"] == "openid eherkenning UWV"


def test_pkce_may_be_waived_for_a_confidential_client_alone(provider: Provider) -> None:
    """The waiver asks a nonce instead, and never holds for a public client or in nl-gov (RUL-30)."""
    waived = {"code_challenge": None, "code_challenge_method": None}
    lax = {"require_pkce": "false"}
    assert read(provider.register(wishes=lax), **waived).reply["challenge"] == ""
    refusals = [
        (provider.register(wishes=lax), waived | {"nonce": None}),
        (provider.register(wishes=lax, token_endpoint_auth_method="none"), waived),
        (provider.register(wishes=lax | NL_GOV, token_endpoint_auth_method="none"), waived),
    ]
    for party, changes in refusals:
        with pytest.raises(Answered) as caught:
            read(party, **changes)
        check_fault(caught, "invalid_request", "P11")


@pytest.mark.parametrize(("name", "value"), [("state", None), ("nonce", None), ("state", "short"), ("nonce", "n" * 19)])
def test_nl_gov_asks_for_randomness(provider: Provider, name: str, value: str | None) -> None:
    """State and nonce of 128 bits are required in nl-gov, and free in standard (11.1)."""
    party = provider.register(wishes=NL_GOV, token_endpoint_auth_method="none")
    assert read(party).reply["nonce"] == NONCE
    with pytest.raises(Answered) as caught:
        read(party, **{name: value})
    check_fault(caught, "invalid_request", "P10", value if name == "state" else STATE)
    assert read(provider.register(), **{name: value}).reply[name] == (value or "")
