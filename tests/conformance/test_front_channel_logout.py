"""Front-Channel Logout 1.0: frames on our last page, over real HTTP and in a real browser."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from bs4 import BeautifulSoup, Tag
from playwright.sync_api import Browser

from tests.conformance.hearing import Hearing, hearing
from tests.conformance.joining import SECONDS, ask, join
from tests.conformance.openid import OpenIdClient
from tests.conformance.person import Person
from tests.conformance.profile import Profile
from tests.fixtures.sandbox import Demo

FRONT = Profile(
    "Front-Channel Logout",
    {
        "FCL-discovery": ("3", "Discovery says that it is supported, with session ids."),
        "FCL-registration": (
            "2",
            "An address can be registered that shares scheme, host and port with a redirect address.",
        ),
        "FCL-frame": ("3", "The page after a logout loads the address in a frame that nobody sees."),
        "FCL-session": ("2", "The frame is told iss and sid, the sid of that session's ID tokens."),
        "FCL-query": ("2", "The address keeps the query with which it is registered."),
        "FCL-all": ("3", "Every client of the session has its frame, the one that asked too."),
        "FCL-others": ("3", "Clients of other sessions have none, nor do those that registered no address."),
        "FCL-policy": ("3", "The page may frame the origins of those addresses, and nothing else."),
        "FCL-onward": ("3", "Afterwards the browser goes where the client asked."),
        "FCL-without-script": ("3", "Without JavaScript the frames load and a link leads on."),
        "FCL-none": ("3", "Without such clients the browser goes on at once."),
    },
)


@pytest.fixture(scope="module", autouse=True)
def fresh(demo: Demo) -> None:
    """The seeded world, with its real clock."""
    demo.reset()


@pytest.fixture
def own() -> Iterator[Hearing]:
    """The clients' own server."""
    with hearing() as made:
        yield made


def framed(demo: Demo, own: Hearing, path: str = "/bye") -> OpenIdClient:
    """A client that hears of logouts in a frame."""
    members = {"redirect_uris": [own.url + "/callback"], "post_logout_redirect_uris": [own.url + "/after"]}
    return join(demo, **members, frontchannel_logout_uri=own.url + path).client


def log_in(client: OpenIdClient, person: Person) -> tuple[str, dict[str, object]]:
    """An ID token and what it tells."""
    token = client.tokens(person)["id_token"]
    return token, client.claims(token)


def leave(client: OpenIdClient, person: Person, hint: str, after: str) -> requests.Response:
    """Our answer to a browser that is sent to log out."""
    given = {"id_token_hint": hint, "post_logout_redirect_uri": after, "state": "s"}
    where = client.demo.url("/oidc/logout")
    return person.session.get(where, params=given, allow_redirects=False, timeout=SECONDS)


def frames_of(response: requests.Response) -> list[Tag]:
    """The frames of a page."""
    return list(BeautifulSoup(response.text, "html.parser").find_all("iframe"))


@FRONT.proves("FCL-discovery", "FCL-registration")
def test_what_is_told(demo: Demo, own: Hearing) -> None:
    """Both say so; an address elsewhere cannot be registered."""
    told = requests.get(demo.url("/.well-known/openid-configuration"), timeout=SECONDS).json()
    assert told["frontchannel_logout_supported"] is told["frontchannel_logout_session_supported"] is True
    assert framed(demo, own).members["frontchannel_logout_uri"] == own.url + "/bye"
    redirect = {"redirect_uris": [own.url + "/callback"]}
    for wrong in ("http://localhost:1/bye", own.url.replace("http:", "https:") + "/bye", own.url + "/#x", "/bye"):
        assert ask(demo, **redirect, frontchannel_logout_uri=wrong).status_code == 400


@FRONT.proves("FCL-frame", "FCL-session", "FCL-query", "FCL-policy", "FCL-without-script")
def test_a_page_with_frames(demo: Demo, own: Hearing) -> None:
    """One frame with iss and sid beside the client's own query, a policy for that origin alone, and a link onward."""
    client, anna = framed(demo, own, "/bye?from=us"), Person(demo, "anna")
    hint, told = log_in(client, anna)
    response = leave(client, anna, hint, own.url + "/after")
    assert response.status_code == 200
    (frame,) = frames_of(response)
    where = urlsplit(str(frame["src"]))
    assert f"{where.scheme}://{where.netloc}{where.path}" == own.url + "/bye"
    assert parse_qs(where.query) == {"from": ["us"], "iss": [demo.base_url], "sid": [told["sid"]]}
    assert frame.has_attr("hidden")
    policy = dict(part.strip().partition(" ")[::2] for part in response.headers["Content-Security-Policy"].split(";"))
    assert policy["frame-src"] == own.url
    assert policy["default-src"] == "'none'"
    onward = BeautifulSoup(response.text, "html.parser").find(attrs={"data-testid": "return"})
    assert isinstance(onward, Tag)
    assert onward["href"] == own.url + "/after?state=s"


@FRONT.proves("FCL-all", "FCL-others", "FCL-policy")
def test_all_clients_of_the_session(demo: Demo, own: Hearing) -> None:
    """Two clients at two origins have frames; one of another browser and one without an address have none."""
    with hearing() as elsewhere:
        one, two, three, plain = (
            framed(demo, own),
            framed(demo, elsewhere),
            framed(demo, own, "/not"),
            join(demo).client,
        )
        anna, other = Person(demo, "anna"), Person(demo, "anna")
        hint, _ = log_in(one, anna)
        log_in(two, anna)
        log_in(plain, anna)
        log_in(three, other)
        response = leave(one, anna, hint, own.url + "/after")
        places = {str(frame["src"]).partition("?")[0] for frame in frames_of(response)}
        assert places == {own.url + "/bye", elsewhere.url + "/bye"}
        allowed = response.headers["Content-Security-Policy"].partition("frame-src ")[2].split()
        assert sorted(allowed) == sorted({own.url, elsewhere.url})


@FRONT.proves("FCL-none")
def test_without_frames_there_is_no_page(demo: Demo, own: Hearing) -> None:
    """The browser is sent on at once."""
    client, anna = join(demo, post_logout_redirect_uris=[own.url + "/after"]).client, Person(demo, "anna")
    hint, _ = log_in(client, anna)
    assert leave(client, anna, hint, own.url + "/after").headers["Location"] == own.url + "/after?state=s"


@FRONT.proves("FCL-frame", "FCL-onward", "FCL-without-script")
@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without"])
def test_in_a_browser(demo: Demo, own: Hearing, chromium: Browser, *, scripts: bool) -> None:
    """Chromium loads the frame, and goes on by itself, or by the link where it runs no scripts."""
    client, anna = framed(demo, own), Person(demo, "anna")
    hint, told = log_in(client, anna)
    context = chromium.new_context(java_script_enabled=scripts)
    for cookie in anna.session.cookies:
        context.add_cookies([{"name": cookie.name, "value": cookie.value or "", "url": demo.base_url}])
    page = context.new_page()
    after = requests.Request(
        "GET",
        demo.url("/oidc/logout"),
        params={"id_token_hint": hint, "post_logout_redirect_uri": own.url + "/after", "state": "s"},
    ).prepare()
    page.goto(str(after.url))
    if not scripts:
        page.get_by_test_id("return").click()
    page.wait_for_url(own.url + "/after?state=s")
    assert [one.query["sid"] for one in own.at("/bye")] == [[told["sid"]]]
    context.close()


def test_every_requirement_is_proven() -> None:
    """No requirement of the profile is without a test."""
    assert FRONT.unproven() == []
