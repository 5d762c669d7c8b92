"""Back-Channel Logout 1.0 over real HTTP: from the end of a session to the server of the client."""

import base64
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from joserfc import jwe
from joserfc.jwk import ECKey

from tests.conformance.hearing import Hearing, hearing
from tests.conformance.joining import SECONDS, join
from tests.conformance.openid import CALLBACK, OpenIdClient
from tests.conformance.person import Person
from tests.conformance.profile import Profile
from tests.fixtures.sandbox import Demo

BACK = Profile(
    "Back-Channel Logout",
    {
        "BCL-discovery": ("2.1", "Discovery says that it is supported, with session ids."),
        "BCL-registration": ("2.2", "An address without fragment, https or local, can be registered and is told."),
        "BCL-request": ("2.5", "The logout token comes as a posted form with that one parameter."),
        "BCL-claims": ("2.4", "It has iss, aud, iat, exp, jti, events with the event, sub and sid."),
        "BCL-no-nonce": ("2.4", "It has no nonce."),
        "BCL-type": ("2.4", "It says that it is a logout token, so that it passes for nothing else."),
        "BCL-signed": ("2.4", "It is signed by the algorithm of the client's ID tokens, with a published key."),
        "BCL-encrypted": ("2.4", "It is encrypted where the client's ID tokens are."),
        "BCL-sid": ("2.1", "Its sid is the one of the ID tokens of that session, another for each session and client."),
        "BCL-all": ("2", "Every client of the session hears, the one that asked too."),
        "BCL-others": ("2", "Clients of other sessions do not hear."),
        "BCL-own": ("2", "A logout at our own page is told as well."),
        "BCL-once": ("2.5", "What a client took is not sent again."),
        "BCL-204": ("2.8", "An empty answer counts as success."),
        "BCL-retry": ("2.8", "A client that does not answer well is told again later, with another jti."),
        "BCL-slow": ("2.5", "The person never waits for it: it is sent when the logout is over."),
        "BCL-hint": ("2.4", "A logout token is no ID token hint."),
    },
)
EVENT = "http://schemas.openid.net/event/backchannel-logout"


@pytest.fixture(scope="module", autouse=True)
def fresh(demo: Demo) -> None:
    """The seeded world, with its real clock."""
    demo.reset()


@pytest.fixture
def own() -> Iterator[Hearing]:
    """The clients' own server."""
    with hearing() as made:
        yield made


def listening(demo: Demo, own: Hearing, path: str = "/bye", **members: Any) -> OpenIdClient:
    """A client that hears of logouts."""
    return join(demo, backchannel_logout_uri=own.url + path, **members).client


def log_in(client: OpenIdClient, person: Person) -> dict[str, Any]:
    """What the ID token of a login tells."""
    return client.claims(client.tokens(person)["id_token"])


def leave(client: OpenIdClient, person: Person) -> str:
    """Log out through a client; answers the ID token that it showed."""
    hint = str(client.tokens(person)["id_token"])
    where = client.demo.url("/oidc/logout")
    answer = person.session.get(where, params={"id_token_hint": hint}, timeout=SECONDS)
    assert "U bent uitgelogd" in answer.text
    return hint


def leave_by_us(person: Person) -> str:
    """Log out at our own page; answers the page that tells so."""
    where = person.demo.url("/uitloggen")
    page = person.session.get(where, timeout=SECONDS).text
    csrf = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    return person.session.post(where, data={"csrf_token": csrf, "step": "logout"}, timeout=SECONDS).text


def deliver(demo: Demo) -> dict[str, int]:
    """Let the worker do one round; answers what became of the messages."""
    done = demo.run("worker", "--once", "--json")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout)["logouts"])


def header_of(token: str) -> dict[str, Any]:
    """The header of a token."""
    text = token.partition(".")[0]
    return dict(json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))))


@BACK.proves("BCL-discovery", "BCL-registration")
def test_what_is_told(demo: Demo, own: Hearing) -> None:
    """Both say so; an address with a fragment, or in the open elsewhere, cannot be registered."""
    told = requests.get(demo.url("/.well-known/openid-configuration"), timeout=SECONDS).json()
    assert told["backchannel_logout_supported"] is told["backchannel_logout_session_supported"] is True
    members = {"backchannel_logout_uri": own.url + "/bye", "backchannel_logout_session_required": True}
    assert join(demo, **members).told.items() >= members.items()
    for wrong in (own.url + "/bye#x", "http://client.example.com/bye", "bye"):
        sent = {"redirect_uris": [CALLBACK], "backchannel_logout_uri": wrong}
        assert requests.post(demo.url("/oidc/register"), json=sent, timeout=SECONDS).status_code == 400


@BACK.proves("BCL-request", "BCL-claims", "BCL-no-nonce", "BCL-type", "BCL-signed", "BCL-sid", "BCL-once", "BCL-slow")
@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_client_hears(demo: Demo, own: Hearing, algorithm: str) -> None:
    """The message is whole, says who and which session, and comes once, after the logout."""
    client, anna = listening(demo, own, id_token_signed_response_alg=algorithm), Person(demo, "anna")
    session = log_in(client, anna)
    leave(client, anna)
    assert own.heard == []
    assert deliver(demo) == {"sent": 1}
    (heard,) = own.at("/bye")
    assert (heard.method, list(heard.form), len(heard.form["logout_token"])) == ("POST", ["logout_token"], 1)
    token = heard.form["logout_token"][0]
    header, claims = header_of(token), client.claims(token)
    assert (header["alg"], header["typ"]) == (algorithm, "logout+jwt")
    assert set(claims) == {"iss", "aud", "iat", "exp", "jti", "events", "sub", "sid"}
    assert claims["events"] == {EVENT: {}}
    assert (claims["iss"], claims["aud"]) == (demo.base_url, client.client_id)
    assert (claims["sub"], claims["sid"]) == (session["sub"], session["sid"])
    assert abs(claims["iat"] - time.time()) < 60
    assert claims["iat"] < claims["exp"] <= claims["iat"] + 120
    assert re.fullmatch(r"[!-~]+", claims["jti"])
    assert deliver(demo) == {}
    assert len(own.heard) == 1


@BACK.proves("BCL-all", "BCL-others", "BCL-sid")
def test_all_clients_of_the_session_hear(demo: Demo, own: Hearing) -> None:
    """Two clients of one browser hear, by names of their own for the session; a session elsewhere goes on."""
    one, two = listening(demo, own, "/one"), listening(demo, own, "/two")
    here, elsewhere = Person(demo, "anna"), Person(demo, "anna")
    sids = [log_in(client, here)["sid"] for client in (one, two)]
    other = log_in(one, elsewhere)["sid"]
    leave(one, here)
    assert deliver(demo) == {"sent": 2}
    told = [one.claims(own.at(path)[0].form["logout_token"][0])["sid"] for path in ("/one", "/two")]
    assert told == sids
    assert len({*sids, other}) == 3
    assert "code" in one.go(elsewhere.session, prompt="none").headers["Location"]


@BACK.proves("BCL-own")
def test_our_own_way_out(demo: Demo, own: Hearing) -> None:
    """Who logs out at our page is logged out at the clients."""
    client, anna = listening(demo, own), Person(demo, "anna")
    log_in(client, anna)
    assert 'data-testid="noticed"' in leave_by_us(anna)
    assert deliver(demo) == {"sent": 1}
    assert len(own.at("/bye")) == 1


@BACK.proves("BCL-retry", "BCL-204")
def test_a_client_that_is_not_well(demo: Demo, own: Hearing) -> None:
    """After an error it is told again half a minute later; an empty answer ends it."""
    client, anna = listening(demo, own), Person(demo, "anna")
    log_in(client, anna)
    own.statuses = [500, 204]
    leave(client, anna)
    assert deliver(demo) == {"delayed": 1}
    assert deliver(demo) == {}
    requests.put(demo.url("/lab/api/clock"), json={"advance_seconds": 31}, timeout=SECONDS).raise_for_status()
    try:
        assert deliver(demo) == {"sent": 1}
    finally:
        requests.put(demo.url("/lab/api/clock"), json={"release": True}, timeout=SECONDS).raise_for_status()
    first, second = (one.form["logout_token"][0] for one in own.at("/bye"))
    assert client.claims(first)["jti"] != client.claims(second)["jti"]
    assert client.claims(first)["sid"] == client.claims(second)["sid"]


@BACK.proves("BCL-encrypted")
def test_encrypted_as_id_tokens_are(demo: Demo, own: Hearing) -> None:
    """A client with encrypted ID tokens gets an encrypted logout token for the same key."""
    key = ECKey.generate_key("P-256", {"kid": "enc", "use": "enc"})
    keyed = {"jwks": {"keys": [key.as_dict(private=False)]}, "id_token_encrypted_response_alg": "ECDH-ES"}
    client, anna = listening(demo, own, **keyed), Person(demo, "anna")
    client.tokens(anna)
    leave_by_us(anna)
    assert deliver(demo) == {"sent": 1}
    sealed = own.at("/bye")[0].form["logout_token"][0]
    inner = jwe.decrypt_compact(sealed, key, algorithms=["ECDH-ES", "A128CBC-HS256"]).plaintext
    assert inner is not None
    assert client.claims(inner.decode())["events"] == {EVENT: {}}


@BACK.proves("BCL-hint")
def test_a_logout_token_is_no_hint(demo: Demo, own: Hearing) -> None:
    """Neither for a login nor for a logout."""
    client, anna = listening(demo, own), Person(demo, "anna")
    log_in(client, anna)
    leave(client, anna)
    deliver(demo)
    token = own.at("/bye")[0].form["logout_token"][0]
    assert "error=invalid_request" in client.go(id_token_hint=token).headers["Location"]
    where = demo.url("/oidc/logout")
    asked = requests.get(where, params={"id_token_hint": token}, allow_redirects=False, timeout=SECONDS)
    assert asked.headers["Location"].startswith("/uitloggen/verzoek/")


def test_every_requirement_is_proven() -> None:
    """No requirement of the profile is without a test."""
    assert BACK.unproven() == []
