"""The Dynamic OP profile for the code flow, RFC 7591 and RFC 7592, over real HTTP."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import ECKey

from tests.conformance.hearing import Hearing, hearing
from tests.conformance.joining import SECONDS, ask, join
from tests.conformance.openid import CALLBACK, EC, KEYS, OpenIdClient, own_page
from tests.conformance.person import Person
from tests.conformance.profile import Profile
from tests.fixtures.sandbox import Demo
from tests.protocol.oidc_kit import ASSERTION_TYPE

DYNAMIC = Profile(
    "Dynamic OP (code)",
    {
        "DYN-endpoint": ("Discovery 3", "Discovery names the registration endpoint."),
        "DYN-metadata": ("RFC 8414 3", "The same metadata lie at OAuth's own well-known address."),
        "DYN-register": ("Registration 3.1", "Posted JSON registers a client: 201, JSON, kept by nobody."),
        "DYN-id": ("Registration 3.2", "Each registration gets a client_id of its own, also when it wished for one."),
        "DYN-secret": ("Registration 3.2", "A secret comes with the instant it ends, zero for never."),
        "DYN-told": ("RFC 7591 3.2.1", "Everything registered is told, values that we chose too."),
        "DYN-unknown": ("RFC 7591 2", "Members we do not know are ignored."),
        "DYN-login": ("Registration 3", "The new client logs people in at once."),
        "DYN-method": ("Registration 2", "Only the registered client authentication counts."),
        "DYN-public": ("RFC 7591 2", "A public client gets no secret."),
        "DYN-algorithm": ("Registration 2", "ID tokens and userinfo are signed as registered."),
        "DYN-pages": ("Registration 2", "Addresses of pages and contacts are kept and told."),
        "DYN-redirect": ("RFC 7591 3.2.2", "A bad redirect address is invalid_redirect_uri."),
        "DYN-redirect-query": ("Registration 2", "A registered address counts with its query, to the letter."),
        "DYN-bad": ("RFC 7591 3.2.2", "Other bad metadata are invalid_client_metadata, with a sentence."),
        "DYN-statement": ("RFC 7591 3.2.2", "A software statement is refused as one that is not approved."),
        "DYN-keys": ("Registration 2", "Keys by value prove the client."),
        "DYN-keys-uri": ("Registration 2", "Keys by address are fetched at registration and prove the client."),
        "DYN-keys-both": ("Registration 2", "Keys come by value or by address, not both."),
        "DYN-keys-roll": ("Core 10.1.1", "A client that replaces its keys is known by the new ones."),
        "DYN-keys-bad": ("Registration 2", "An address that gives no keys is refused with a sentence."),
        "DYN-sector": ("Registration 5", "The list at sector_identifier_uri must hold every redirect address."),
        "DYN-read": ("RFC 7592 2.1", "The token reads the registration."),
        "DYN-token": ("RFC 7592 2.1", "Without the token, or with another client's, there is a 401."),
        "DYN-replace": ("RFC 7592 2.2", "A PUT replaces everything; what is left out is gone."),
        "DYN-replace-ours": ("RFC 7592 2.2", "A PUT must name the client, and not what only we say."),
        "DYN-delete": ("RFC 7592 2.3", "A DELETE ends client and token."),
        "DYN-invited": ("RFC 7591 3", "With an initial access token one client registers, once."),
        "DYN-closed": ("Discovery 3", "Where nobody may register there is no such endpoint, and none is named."),
        "DYN-roll": ("Core 10.1.1", "Our next key is published before it signs, and then signs."),
    },
)


@pytest.fixture(scope="module", autouse=True)
def fresh(demo: Demo) -> None:
    """The seeded world, with its real clock."""
    demo.reset()


@pytest.fixture(scope="module")
def anna(demo: Demo) -> Person:
    """One person with one browser."""
    return Person(demo, "anna")


@pytest.fixture
def own() -> Iterator[Hearing]:
    """The client's own server."""
    with hearing() as made:
        yield made


@pytest.fixture(scope="module")
def guarded(start_demo: Callable[..., Demo]) -> Demo:
    """A sandbox in which clients register by invitation alone."""
    return start_demo(environ={"IDP_OIDC_REGISTRATION": "token"})


def metadata_of(demo: Demo) -> dict[str, Any]:
    """What discovery says."""
    return dict(requests.get(demo.url("/.well-known/openid-configuration"), timeout=SECONDS).json())


@DYNAMIC.proves("DYN-endpoint", "DYN-metadata")
def test_discovery_names_the_endpoint(demo: Demo) -> None:
    """Under both names of the document, which are the same to the byte."""
    assert metadata_of(demo)["registration_endpoint"] == demo.url("/oidc/register")
    both = [f"/.well-known/{name}" for name in ("openid-configuration", "oauth-authorization-server")]
    first, second = (requests.get(demo.url(one), timeout=SECONDS).content for one in both)
    assert first == second


@DYNAMIC.proves("DYN-register", "DYN-id", "DYN-secret", "DYN-told", "DYN-unknown")
def test_a_client_registers(demo: Demo) -> None:
    """It is told everything, gets a name and a secret of our choosing, and what we do not know is left aside."""
    answer = ask(demo, client_id="chosen", client_name="Portaal", unheard_of=["\ud800", {"a": 1}])
    told = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert told["client_id"] not in ("chosen", join(demo).told["client_id"])
    assert told["client_secret"]
    assert told["client_secret_expires_at"] == 0
    assert abs(told["client_id_issued_at"] - time.time()) < 120
    expected = {
        "client_name": "Portaal",
        "redirect_uris": [CALLBACK],
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "application_type": "web",
        "id_token_signed_response_alg": "RS256",
        "subject_type": "pairwise",
        "services": ["OLO"],
    }
    assert {name: told[name] for name in expected} == expected
    assert "unheard_of" not in told


@DYNAMIC.proves("DYN-login")
@pytest.mark.parametrize("services", [None, ["OLO"]], ids=["all of the first provider", "named"])
def test_it_logs_people_in(demo: Demo, services: list[str] | None) -> None:
    """The whole flow, for services that it named and for those it gets without naming any (RUL-10)."""
    joined = join(demo, services=services)
    assert joined.told["services"] == (services or ["UWV"])
    assert joined.client.tokens(Person(demo, "anna" if services else "petra"))["id_token"]


@DYNAMIC.proves("DYN-method")
def test_one_way_to_prove_itself(demo: Demo, anna: Person) -> None:
    """A client that registered to post its secret is refused when it sends it in the header."""
    client = join(demo, token_endpoint_auth_method="client_secret_post").client
    client.members = {**client.members, "token_endpoint_auth_method": "client_secret_basic"}
    answer = client.redeem(client.code(anna))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    client.members = {**client.members, "token_endpoint_auth_method": "client_secret_post"}
    assert client.tokens(anna)["access_token"]


@DYNAMIC.proves("DYN-public")
def test_a_public_client(demo: Demo, anna: Person) -> None:
    """It is told no secret, and proves itself by PKCE alone."""
    joined = join(demo, token_endpoint_auth_method="none")
    assert not {"client_secret", "client_secret_expires_at"} & set(joined.told)
    assert joined.client.tokens(anna)["id_token"]


@DYNAMIC.proves("DYN-algorithm")
@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256"])
def test_signed_as_registered(demo: Demo, anna: Person, algorithm: str) -> None:
    """Both the ID token and what userinfo tells."""
    client = join(demo, id_token_signed_response_alg=algorithm, userinfo_signed_response_alg=algorithm).client
    tokens = client.tokens(anna)
    answer = client.userinfo(tokens["access_token"])
    assert answer.headers["Content-Type"] == "application/jwt"
    for token in (tokens["id_token"], answer.text):
        assert json.loads(_decoded(token.partition(".")[0]))["alg"] == algorithm
        assert client.claims(token)["sub"]


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@DYNAMIC.proves("DYN-pages")
def test_pages_of_the_client(demo: Demo) -> None:
    """They are kept as they were sent."""
    pages = {f"{name}_uri": f"https://client.example.test/{name}" for name in ("client", "logo", "tos", "policy")}
    assert join(demo, **pages, contacts=["a@example.test"]).told.items() >= pages.items()


@DYNAMIC.proves("DYN-redirect")
@pytest.mark.parametrize("address", ["http://client.example.com/", "https://a.test/#f", "x", "https://*.a.test/"])
def test_bad_redirect_addresses(demo: Demo, address: str) -> None:
    """The error is the one for addresses."""
    answer = ask(demo, redirect_uris=[CALLBACK, address])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_redirect_uri")


@DYNAMIC.proves("DYN-redirect-query")
def test_the_query_of_an_address_counts(demo: Demo, anna: Person) -> None:
    """Registered with a query the address is used with it; without it, or with another one, nothing is told to it."""
    client = join(demo, redirect_uris=[CALLBACK + "?from=us"]).client
    told = client.visit(anna)
    assert (told["from"], bool(told["code"])) == ("us", True)
    for address in (CALLBACK, CALLBACK + "?from=us&more=1", CALLBACK + "?from=you"):
        assert own_page(client.go(redirect_uri=address)) == "P03"
    plain = join(demo).client
    assert own_page(plain.go(redirect_uri=CALLBACK + "?from=us")) == "P03"


@DYNAMIC.proves("DYN-bad")
@pytest.mark.parametrize(
    "members",
    [
        {"response_types": ["id_token"]},
        {"grant_types": ["implicit"]},
        {"id_token_signed_response_alg": "none"},
        {"subject_type": "public"},
        {"client_name": 5},
        {"client_name": "x" * 201},
        {"post_logout_redirect_uris": [5]},
        {"logo_uri": "nowhere"},
        {"services": ["NOWHERE"]},
        {"services": ["UWV", "OLO"]},
        {"services": "UWV"},
        {"profile": "generic"},
        {"profile": "fapi-2"},
        {"profile": ["standard"]},
        {"jwks": {"keys": [{"kty": "EC"}]}},
    ],
    ids=str,
)
def test_bad_metadata(demo: Demo, members: dict[str, Any]) -> None:
    """The error says in a sentence what is wrong."""
    answer = ask(demo, **members)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")
    assert answer.json()["error_description"].endswith(".")


@DYNAMIC.proves("DYN-bad")
@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"redirect_uris": [' + b"[" * 5000])
def test_what_is_no_metadata(demo: Demo, body: bytes) -> None:
    """Other bodies, and other media types, are refused in the same way."""
    for kind in ("application/json", "text/plain"):
        answer = requests.post(demo.url("/oidc/register"), data=body, headers={"Content-Type": kind}, timeout=SECONDS)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")


@DYNAMIC.proves("DYN-statement")
def test_a_software_statement(demo: Demo) -> None:
    """Nobody's word counts for a client but its own."""
    answer = ask(demo, software_statement="eyJhbGciOiJub25lIn0.e30.")
    assert (answer.status_code, answer.json()["error"]) == (400, "unapproved_software_statement")


@DYNAMIC.proves("DYN-keys")
def test_keys_by_value(demo: Demo, anna: Person) -> None:
    """A client with keys gets no secret, and signs what proves it."""
    joined = join(demo, token_endpoint_auth_method="private_key_jwt", jwks={"keys": KEYS["keys"][:1]})
    assert "client_secret" not in joined.told
    assert joined.client.tokens(anna)["access_token"]


@DYNAMIC.proves("DYN-keys-uri", "DYN-keys-roll")
def test_keys_by_address(demo: Demo, anna: Person, own: Hearing) -> None:
    """They are fetched once at registration; when they change, the worker finds out, and the old key is worthless."""
    old = ECKey.generate_key("P-256", {"kid": "old", "use": "sig"})
    address = own.give("/jwks", {"keys": [old.as_dict(private=False)]})
    joined = join(demo, token_endpoint_auth_method="private_key_jwt", jwks_uri=address)
    assert joined.told["jwks_uri"] == address
    assert "jwks" not in joined.told
    client = joined.client
    assert client.redeem(client.code(anna), **_proof(client, old)).status_code == 200
    assert len(own.at("/jwks")) == 1
    own.give("/jwks", {"keys": [EC.as_dict(private=False)]})
    assert client.redeem(client.code(anna)).status_code == 401
    requests.put(demo.url("/lab/api/clock"), json={"advance_seconds": 3700}, timeout=SECONDS).raise_for_status()
    try:
        assert demo.run("worker", "--once").returncode == 0
    finally:
        requests.put(demo.url("/lab/api/clock"), json={"release": True}, timeout=SECONDS).raise_for_status()
    time.sleep(2)
    assert client.redeem(client.code(anna)).status_code == 200
    assert client.redeem(client.code(anna), **_proof(client, old)).status_code == 401


@DYNAMIC.proves("DYN-keys-uri")
def test_an_operator_registers_an_address(demo: Demo, anna: Person, own: Hearing, tmp_path: Path) -> None:
    """The command fetches the keys too, and lets the worker fetch them again; where there are none it says so."""
    members = {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "private_key_jwt"}
    file = tmp_path / "client.json"
    command = ("providers", "add", "--json", "--services", "OLO", "--client", str(file))
    file.write_text(json.dumps(members | {"jwks_uri": own.url + "/page"}))
    refused = demo.run(*command)
    assert (refused.returncode, "jwks_uri is not JSON" in refused.stderr) == (1, True)
    address = own.give("/jwks", {"keys": [EC.as_dict(private=False)]})
    file.write_text(json.dumps(members | {"jwks_uri": address}))
    made = demo.run(*command)
    assert made.returncode == 0, made.stderr
    client = OpenIdClient(demo, json.loads(made.stdout)["client_id"], "", members)
    time.sleep(2)
    assert client.tokens(anna)["access_token"]
    assert json.loads(demo.run("worker", "--once", "--json").stdout)["clients"][client.client_id] == "unchanged"


def _proof(client: OpenIdClient, key: ECKey) -> dict[str, Any]:
    now = int(time.time())
    about = {"iss": client.client_id, "sub": client.client_id, "aud": client.demo.base_url, "jti": f"{time.time_ns()}"}
    token = jwt.encode({"alg": "ES256", "kid": key.kid}, about | {"iat": now, "exp": now + 60}, key)
    return {
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": token,
    }


@DYNAMIC.proves("DYN-keys-both", "DYN-keys-bad")
def test_bad_keys(demo: Demo, own: Hearing) -> None:
    """By both ways at once, from an address that gives none, and from one of another kind."""
    keyed: dict[str, Any] = {"token_endpoint_auth_method": "private_key_jwt"}
    good = own.give("/jwks", KEYS)
    own.give("/list", ["x"])
    wrong: list[dict[str, Any]] = [
        {"jwks": KEYS, "jwks_uri": good},
        {"jwks_uri": own.url + "/page"},
        {"jwks_uri": own.url + "/list"},
        {"jwks_uri": "http://client.example.com/jwks"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "http://localhost:1/"},
    ]
    for members in wrong:
        answer = ask(demo, **keyed, **members)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata"), members


@DYNAMIC.proves("DYN-sector")
def test_the_sector(demo: Demo, anna: Person, own: Hearing) -> None:
    """A list that holds the addresses is taken, another refused; the subject stays that of the provider (RUL-9)."""
    good, bad = own.give("/good", [CALLBACK, "https://other.example.test/"]), own.give("/bad", ["https://a.test/"])
    told = join(demo, sector_identifier_uri=good)
    assert told.client.claims(told.client.tokens(anna)["id_token"])["sub"] == _subject(demo, anna)
    answer = ask(demo, sector_identifier_uri=bad)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")


def _subject(demo: Demo, person: Person) -> str:
    client = join(demo).client
    return str(client.claims(client.tokens(person)["id_token"])["sub"])


@DYNAMIC.proves("DYN-read", "DYN-token")
def test_a_registration_is_read(demo: Demo) -> None:
    """By its own token alone; the secret was told once and is not told again."""
    joined, other = join(demo, client_name="Portaal"), join(demo)
    answer = joined.manage("GET")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert answer.json() == {name: value for name, value in joined.told.items() if name != "client_secret"}
    assert joined.manage("HEAD").status_code == 200
    for method in ("GET", "PUT", "DELETE"):
        for token in ("", "x", other.told["registration_access_token"]):
            refused = joined.manage(method, {}, token)
            assert refused.status_code == 401
            assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    assert joined.manage("GET").status_code == 200


@DYNAMIC.proves("DYN-replace", "DYN-replace-ours")
def test_a_registration_is_replaced(demo: Demo, anna: Person) -> None:
    """A new name and address count from now on, what was left out is gone, and our own members are refused."""
    joined = join(demo, client_name="Portaal", logo_uri="https://client.example.test/logo")
    elsewhere = "https://elsewhere.example.test/callback"
    wish = {"client_id": joined.told["client_id"], "client_name": "Nieuw", "redirect_uris": [elsewhere]}
    for wrong in (
        {name: value for name, value in wish.items() if name != "client_id"},
        {**wish, "client_id": "another"},
        {**wish, "client_secret": "guessed"},
        {**wish, "client_secret": "\ud800"},
        {**wish, "registration_access_token": joined.told["registration_access_token"]},
        {**wish, "client_secret_expires_at": 0},
    ):
        answer = joined.manage("PUT", wrong)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")
    answer = joined.manage("PUT", {**wish, "client_secret": joined.told["client_secret"]})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["client_name"], answer.json()["redirect_uris"]) == ("Nieuw", [elsewhere])
    assert "logo_uri" not in answer.json()
    time.sleep(2)
    joined.client.members = {**joined.client.members, "redirect_uris": [elsewhere]}
    assert joined.client.tokens(anna)["access_token"]
    assert own_page(joined.client.go(redirect_uri=CALLBACK)) == "P03"


@DYNAMIC.proves("DYN-replace", "DYN-secret")
def test_a_secret_comes_and_goes(demo: Demo) -> None:
    """A client that becomes public has no secret any more; when it needs one again it is told a new one, once."""
    joined = join(demo)
    wish = {"client_id": joined.told["client_id"], "redirect_uris": [CALLBACK]}
    public = joined.manage("PUT", {**wish, "token_endpoint_auth_method": "none"}).json()
    assert not {"client_secret", "client_secret_expires_at"} & set(public)
    again = joined.manage("PUT", wish).json()
    assert again["client_secret"] not in ("", joined.told["client_secret"])
    assert "client_secret" not in joined.manage("PUT", wish).json()


@DYNAMIC.proves("DYN-delete")
def test_a_registration_is_deleted(demo: Demo, anna: Person) -> None:
    """The client is unknown from then on, its tokens are worth nothing, and so is the token that managed it."""
    joined = join(demo)
    access = joined.client.tokens(anna)["access_token"]
    answer = joined.manage("DELETE")
    assert (answer.status_code, answer.content) == (204, b"")
    time.sleep(2)
    assert own_page(joined.client.go()) == "P01"
    assert joined.client.userinfo(access).status_code == 401
    assert joined.manage("GET").status_code == 401


@DYNAMIC.proves("DYN-invited")
def test_by_invitation(guarded: Demo) -> None:
    """Nobody registers without a token, bad metadata spend none, and a good one counts once and for its services."""
    address = metadata_of(guarded)["registration_endpoint"]
    made = guarded.run("--json", "providers", "invite", "--services", "OLO", "--hours", "1")
    assert made.returncode == 0, made.stderr
    told = json.loads(made.stdout)
    headers = {"Authorization": f"Bearer {told['initial_access_token']}"}

    def post(members: dict[str, Any], **sent: str) -> requests.Response:
        return requests.post(address, json=members, headers=sent, timeout=SECONDS)

    good = {"redirect_uris": [CALLBACK], "services": ["UWV"]}
    assert post(good).status_code == 401
    assert post(good, Authorization="Bearer guessed").status_code == 401
    assert post({"redirect_uris": []}, **headers).status_code == 400
    answer = post(good, **headers)
    assert (answer.status_code, answer.json()["services"]) == (201, ["OLO"])
    assert post(good, **headers).status_code == 401


@DYNAMIC.proves("DYN-closed")
def test_closed(start_demo: Callable[..., Demo]) -> None:
    """Nothing is served and nothing is named."""
    demo = start_demo(environ={"IDP_OIDC_REGISTRATION": "closed"})
    assert "registration_endpoint" not in metadata_of(demo)
    assert ask(demo).status_code == 404
    demo.stop()


@DYNAMIC.proves("DYN-roll")
def test_our_keys_roll(demo: Demo, anna: Person) -> None:
    """The next key stands in the key set while the old one signs; once it is active it signs, and old tokens hold."""
    client = join(demo).client
    before = client.tokens(anna)["id_token"]

    def named(kid: str) -> str:
        return kid.partition("-")[0]

    def published() -> set[str]:
        return {named(one["kid"]) for one in requests.get(demo.url("/oidc/jwks"), timeout=SECONDS).json()["keys"]}

    def signer(token: str) -> str:
        return named(json.loads(_decoded(token.partition(".")[0]))["kid"])

    def signed_by(wanted: str) -> bool:
        return signer(client.tokens(anna)["id_token"]) == wanted

    first, old = published(), signer(before)
    planned = demo.run("keys", "plan", "oidc-rsa", "--json")
    assert planned.returncode == 0, planned.stderr
    _wait(lambda: published() > first)
    (new,) = published() - first
    assert signed_by(old)
    activated = demo.run("keys", "activate", new, "--force")
    assert activated.returncode == 0, activated.stderr
    _wait(lambda: signed_by(new))
    assert published() >= {old, new}
    assert client.claims(before)["sub"]


def _wait(done: Callable[[], bool]) -> None:
    """Wait until it holds ten times in a row: each process looks for new keys by itself, and any of them may answer."""
    deadline = time.monotonic() + 60
    while not all(done() for _ in range(10)):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.5)


def test_every_requirement_is_proven() -> None:
    """No requirement of the profile is without a test."""
    assert DYNAMIC.unproven() == []
