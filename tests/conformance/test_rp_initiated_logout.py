"""RP-Initiated Logout 1.0 over real HTTP."""

from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import pytest
import requests
from bs4 import BeautifulSoup, Tag

from tests.conformance.joining import SECONDS, join
from tests.conformance.openid import OpenIdClient, told_in
from tests.conformance.person import Person
from tests.conformance.profile import Profile
from tests.fixtures.sandbox import Demo

LOGOUT = Profile(
    "RP-Initiated Logout",
    {
        "RPI-endpoint": ("2.1", "Discovery names the endpoint."),
        "RPI-methods": ("2", "It takes GET and POST alike."),
        "RPI-ends": ("2", "With an ID token of the session's own person the session ends at once."),
        "RPI-redirect": ("3", "The browser goes to the registered address, with the state and nothing else."),
        "RPI-no-state": ("3", "Without a state there is none in the address."),
        "RPI-query": ("3", "The address keeps the query with which it is registered."),
        "RPI-expired": ("4", "An ID token that ended long ago is accepted."),
        "RPI-ask": ("2", "Without an ID token the person is asked, and stays logged in without an answer."),
        "RPI-ask-other": ("2", "With the ID token of somebody else the person is asked."),
        "RPI-confirm": ("2", "When the person agrees the session ends; the form proves that it was on our page."),
        "RPI-client": ("2", "client_id alone leads to the address of that client, after the person agreed."),
        "RPI-client-wrong": ("4", "A client_id that is not the one of the ID token makes nothing of it believed."),
        "RPI-unregistered": ("3", "An unregistered address is never gone to; the session ends all the same."),
        "RPI-foreign": ("4", "An ID token that is not ours, or was changed, is not believed."),
        "RPI-kind": ("4", "Other tokens of ours are no ID tokens."),
        "RPI-no-address": ("2", "Without an address the person reads that the session ended."),
        "RPI-gone": ("4", "Where there is no session any more, the browser goes on all the same."),
        "RPI-unknown": (
            "2",
            "Unknown parameters are passed over; broken ones lead to our page, never to an error of ours.",
        ),
        "RPI-locales": ("2", "ui_locales choose the language of our page."),
        "RPI-registration": ("3.1", "post_logout_redirect_uris can be registered and are told."),
    },
)
AFTER = "https://client.example.test/after"
AFTER_QUERY = AFTER + "?from=idp"


@dataclass
class Leaver:
    """A person who logged in at a client, and the ID token that the client keeps."""

    client: OpenIdClient
    person: Person
    hint: str

    def leave(self, method: str = "GET", **given: str) -> requests.Response:
        """Our first answer to a browser that the client sends to log out."""
        where = self.client.demo.url("/oidc/logout")
        sent = {"data": given} if method == "POST" else {"params": given}
        return self.person.session.request(method, where, allow_redirects=False, timeout=SECONDS, **sent)

    def follow(self, response: requests.Response) -> requests.Response:
        """What a browser sees in the end, unless it is sent away from us."""
        own = urlsplit(self.client.demo.base_url).netloc
        while response.is_redirect:
            target = response.headers["Location"]
            if urlsplit(target).netloc not in ("", own):
                break
            address = target if urlsplit(target).netloc else self.client.demo.url(target)
            response = self.person.session.get(address, allow_redirects=False, timeout=SECONDS)
        return response

    def page(self, **given: str) -> BeautifulSoup:
        """The page that a browser ends at."""
        response = self.follow(self.leave(**given))
        assert response.status_code == 200, response.headers.get("Location")
        return BeautifulSoup(response.text, "html.parser")

    def agree(self, **given: str) -> requests.Response:
        """What a browser sees after the person agreed."""
        asked = self.follow(self.leave(**given))
        form = BeautifulSoup(asked.text, "html.parser").find("form", attrs={"data-testid": "step-form"})
        assert isinstance(form, Tag), asked.text[:500]
        fields = {str(one["name"]): str(one.get("value", "")) for one in form.find_all("input")}
        return self.follow(self.person.session.post(asked.url, data=fields, allow_redirects=False, timeout=SECONDS))

    @property
    def logged_in(self) -> bool:
        """Whether our session is alive."""
        return "code" in told_in(self.client.go(self.person.session, prompt="none").headers["Location"])


def name(page: BeautifulSoup) -> str:
    """Which page it is."""
    return str(page.body["data-page"]) if page.body else ""


@pytest.fixture(scope="module")
def client(demo: Demo) -> OpenIdClient:
    """A client with two addresses to go to."""
    demo.reset()
    return join(demo, post_logout_redirect_uris=[AFTER, AFTER_QUERY]).client


@pytest.fixture
def anna(client: OpenIdClient, demo: Demo) -> Leaver:
    """Anna, logged in."""
    person = Person(demo, "anna")
    return Leaver(client, person, client.tokens(person)["id_token"])


@LOGOUT.proves("RPI-endpoint", "RPI-registration")
def test_what_is_told(demo: Demo, client: OpenIdClient) -> None:
    """Discovery and registration name the addresses."""
    told = requests.get(demo.url("/.well-known/openid-configuration"), timeout=SECONDS).json()
    assert told["end_session_endpoint"] == demo.url("/oidc/logout")
    assert client.members["post_logout_redirect_uris"] == [AFTER, AFTER_QUERY]


@LOGOUT.proves("RPI-methods", "RPI-ends", "RPI-redirect")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_session_ends(anna: Leaver, method: str) -> None:
    """The browser is sent on at once, to the letter, and we ask for a password again."""
    assert anna.logged_in
    state = "a state&with=signs"
    response = anna.leave(method, id_token_hint=anna.hint, post_logout_redirect_uri=AFTER, state=state)
    assert response.status_code == 303
    where, _, query = response.headers["Location"].partition("?")
    assert (where, told_in("?" + query)) == (AFTER, {"state": state})
    assert not anna.logged_in


@LOGOUT.proves("RPI-methods")
def test_looking_ends_nothing(anna: Leaver) -> None:
    """A HEAD, as previews of links send it, is refused and changes nothing."""
    assert anna.leave("HEAD", id_token_hint=anna.hint).status_code == 405
    assert anna.logged_in


@LOGOUT.proves("RPI-methods")
def test_a_form_of_another_site_comes_without_cookies(anna: Leaver) -> None:
    """Our cookies stay away from such a form; the request is looked at again where they come, and ends the session."""
    given = {"id_token_hint": anna.hint, "post_logout_redirect_uri": AFTER}
    address = anna.client.demo.url("/oidc/logout")
    bare = requests.post(address, data=given, allow_redirects=False, timeout=SECONDS)
    assert bare.headers["Location"].startswith("/uitloggen/verzoek/")
    response = anna.follow(bare)
    assert response.headers["Location"] == AFTER
    assert not anna.logged_in


@LOGOUT.proves("RPI-no-state", "RPI-query")
def test_addresses(anna: Leaver) -> None:
    """Nothing is added that was not asked, and the query that belongs to an address stays."""
    given = {"id_token_hint": anna.hint}
    assert anna.leave(**given, post_logout_redirect_uri=AFTER).headers["Location"] == AFTER
    with_state = anna.leave(**given, post_logout_redirect_uri=AFTER_QUERY, state="s").headers["Location"]
    assert with_state == AFTER_QUERY + "&state=s"


@LOGOUT.proves("RPI-expired")
def test_an_old_hint(anna: Leaver, demo: Demo) -> None:
    """Ten minutes later, when the ID token has ended, it still says who is to be logged out."""
    requests.put(demo.url("/lab/api/clock"), json={"advance_seconds": 600}, timeout=SECONDS).raise_for_status()
    try:
        response = anna.leave(id_token_hint=anna.hint, post_logout_redirect_uri=AFTER)
        assert response.headers["Location"] == AFTER
        assert not anna.logged_in
    finally:
        requests.put(demo.url("/lab/api/clock"), json={"release": True}, timeout=SECONDS).raise_for_status()


@LOGOUT.proves("RPI-ask", "RPI-confirm")
def test_without_a_hint_the_person_is_asked(anna: Leaver) -> None:
    """Nothing ends until the person says so on our page; then we do not send the browser anywhere."""
    given = {"post_logout_redirect_uri": AFTER, "state": "s"}
    assert name(anna.page(**given)) == "logout"
    assert anna.logged_in
    ended = BeautifulSoup(anna.agree(**given).text, "html.parser")
    assert name(ended) == "logged-out"
    assert not anna.logged_in


@LOGOUT.proves("RPI-confirm")
def test_the_form_is_ours(anna: Leaver) -> None:
    """A form of another site cannot agree for the person."""
    asked = anna.follow(anna.leave())
    for headers in ({}, {"Origin": "https://evil.example.test"}):
        response = anna.person.session.post(asked.url, headers=headers, allow_redirects=False, timeout=SECONDS)
        assert response.status_code in (400, 403)
    assert anna.logged_in


@LOGOUT.proves("RPI-ask-other")
def test_a_hint_of_somebody_else(anna: Leaver, demo: Demo) -> None:
    """Anna is asked when a client names emre; when she agrees her session ends and the browser goes on."""
    hint = anna.client.tokens(Person(demo, "emre"))["id_token"]
    given = {"id_token_hint": hint, "post_logout_redirect_uri": AFTER}
    assert name(anna.page(**given)) == "logout"
    assert anna.logged_in
    assert anna.agree(**given).headers["Location"] == AFTER
    assert not anna.logged_in


@LOGOUT.proves("RPI-client")
def test_a_client_by_name(anna: Leaver) -> None:
    """The person agrees, and then the browser goes to the address that this client registered, and to no other."""
    given = {"client_id": anna.client.client_id, "post_logout_redirect_uri": AFTER, "state": "s"}
    assert name(anna.page(**given)) == "logout"
    assert anna.agree(**given).headers["Location"] == AFTER + "?state=s"
    assert not anna.logged_in


@LOGOUT.proves("RPI-client-wrong")
def test_a_hint_of_another_client(anna: Leaver, demo: Demo) -> None:
    """The two do not fit together, so neither is believed: the person is asked, and not sent on."""
    other = join(demo, post_logout_redirect_uris=[AFTER]).client
    given = {"id_token_hint": anna.hint, "client_id": other.client_id, "post_logout_redirect_uri": AFTER}
    assert name(anna.page(**given)) == "logout"
    assert name(BeautifulSoup(anna.agree(**given).text, "html.parser")) == "logged-out"


@LOGOUT.proves("RPI-unregistered")
@pytest.mark.parametrize("address", [AFTER + "/", AFTER + "?x=1", "https://evil.example.test/", "javascript:alert(1)"])
def test_an_unregistered_address(anna: Leaver, address: str) -> None:
    """The session ends, the person reads so, and nobody is sent there."""
    page = anna.page(id_token_hint=anna.hint, post_logout_redirect_uri=address, state="s")
    assert name(page) == "logged-out"
    assert address not in str(page)
    assert not anna.logged_in


@LOGOUT.proves("RPI-foreign", "RPI-kind")
def test_what_is_no_id_token_of_ours(anna: Leaver, demo: Demo) -> None:
    """Changed, made by others, or another kind of token: the person is asked and not sent on."""
    signed = join(demo, access_token_format="jwt", post_logout_redirect_uris=[AFTER]).client
    access = signed.tokens(anna.person)["access_token"]
    strange = anna.client.signed({"iss": demo.base_url, "sub": "x", "aud": anna.client.client_id}, {}, {})
    for hint in (anna.hint[:-6] + "AAAAAA", strange, access, "x"):
        given = {"id_token_hint": hint, "post_logout_redirect_uri": AFTER}
        assert name(anna.page(**given)) == "logout"
    assert anna.logged_in


@LOGOUT.proves("RPI-no-address")
def test_without_an_address(anna: Leaver) -> None:
    """The person reads that the session ended."""
    page = anna.page(id_token_hint=anna.hint)
    assert name(page) == "logged-out"
    assert "U bent uitgelogd" in page.get_text()


@LOGOUT.proves("RPI-gone")
def test_a_session_that_is_gone(anna: Leaver) -> None:
    """A second logout leads to the same place, for GET and POST, and so does one in a browser without cookies."""
    given = {"id_token_hint": anna.hint, "post_logout_redirect_uri": AFTER}
    for method in ("GET", "GET", "POST"):
        assert anna.follow(anna.leave(method, **given)).headers["Location"] == AFTER


@LOGOUT.proves("RPI-gone")
def test_a_hint_names_a_session_of_another_browser(anna: Leaver) -> None:
    """Where a browser without any session brings an ID token, the session that it is of ends (a person left it)."""
    given = urlencode({"id_token_hint": anna.hint, "post_logout_redirect_uri": AFTER})
    address = anna.client.demo.url("/oidc/logout?" + given)
    bare = requests.get(address, allow_redirects=False, timeout=SECONDS)
    assert bare.headers["Location"] == AFTER
    assert not anna.logged_in


@LOGOUT.proves("RPI-unknown")
@pytest.mark.parametrize(
    "query", ["x=1", "state=a&state=b", "id_token_hint=%", "id_token_hint=%00", "client_id=" + "x" * 20000, "%ff=1"]
)
def test_odd_requests(anna: Leaver, query: str) -> None:
    """Whatever comes, the person can log out."""
    address = anna.client.demo.url("/oidc/logout?" + query)
    response = anna.follow(anna.person.session.get(address, allow_redirects=False, timeout=SECONDS))
    assert response.status_code == 200
    assert name(BeautifulSoup(response.text, "html.parser")) == "logout"


@LOGOUT.proves("RPI-unknown")
def test_the_page_works_once(anna: Leaver) -> None:
    """A page that is not there any more says so."""
    asked = anna.follow(anna.leave())
    anna.agree()
    assert anna.person.session.get(asked.url + "x", timeout=SECONDS).status_code == 410


@LOGOUT.proves("RPI-locales")
def test_languages(anna: Leaver) -> None:
    """The page speaks English or Dutch as the client asks; unknown languages do no harm."""
    for wish, spoken in (("en", "en"), ("nl", "nl"), ("xx en-GB", "en")):
        page = anna.page(ui_locales=wish)
        assert page.html is not None
        assert page.html["lang"] == spoken


def test_every_requirement_is_proven() -> None:
    """No requirement of the profile is without a test."""
    assert LOGOUT.unproven() == []
