"""Session Management 1.0, which is off unless a setting asks for it: its frame in a real browser."""

from collections.abc import Callable, Iterator

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page

from tests.conformance.hearing import Hearing, hearing
from tests.conformance.joining import SECONDS, join
from tests.conformance.openid import OpenIdClient
from tests.conformance.person import Person
from tests.conformance.profile import Profile
from tests.fixtures.sandbox import Demo

SESSION = Profile(
    "Session Management",
    {
        "SM-off": ("our own", "Unless a setting asks for it, nothing of it is served or named."),
        "SM-discovery": ("3.3", "Discovery names the frame."),
        "SM-state": ("2", "An answer with a code carries a session_state without spaces, another each time."),
        "SM-state-error": ("2", "An answer with an error carries none."),
        "SM-frame": ("3.3", "The page may be framed by any page, runs our script alone and asks for nothing."),
        "SM-cookie": ("3.2", "It reads one cookie, which holds no secret and opens no session."),
        "SM-unchanged": ("3.2", "To the state of this session it answers unchanged."),
        "SM-changed": ("3.2", "After a logout, and to the state of another session, it answers changed."),
        "SM-client": ("3.2", "The state counts for the client and the origin for which it was made."),
        "SM-error": ("3.2", "To a message that is none it answers error."),
    },
)
WATCH = """<!doctype html><title>Client</title><iframe src="{frame}" hidden></iframe><script>
window.ask = (message) => new Promise((done) => {
  addEventListener("message", (event) => done(`${event.origin} ${event.data}`), { once: true });
  frames[0].postMessage(message, "{origin}");
});
</script>"""


@pytest.fixture(scope="module")
def watched(start_demo: Callable[..., Demo]) -> Iterator[Demo]:
    """A sandbox with session management."""
    demo = start_demo(environ={"IDP_OIDC_SESSION_FRAME": "true"})
    yield demo
    demo.stop()


@pytest.fixture
def own(watched: Demo) -> Iterator[Hearing]:
    """The client's own server, with a page that watches."""
    with hearing() as made:
        page = WATCH.replace("{frame}", watched.url("/oidc/session")).replace("{origin}", watched.base_url)
        made.documents["/watch"] = ("text/html", page)
        yield made


@pytest.fixture
def client(watched: Demo, own: Hearing) -> OpenIdClient:
    """A client at that server."""
    return join(watched, redirect_uris=[own.url + "/callback"]).client


def brought(chromium: Browser, demo: Demo, person: Person) -> BrowserContext:
    """A browser with the cookies of a person."""
    context = chromium.new_context()
    for cookie in person.session.cookies:
        context.add_cookies([{"name": cookie.name, "value": cookie.value or "", "url": demo.base_url}])
    return context


def answer(page: Page, message: str) -> str:
    """What the frame says, after its own origin."""
    origin, _, said = str(page.evaluate("(message) => window.ask(message)", message)).partition(" ")
    assert origin.startswith("http://localhost:")
    return said


@SESSION.proves("SM-off")
def test_off_by_default(demo: Demo) -> None:
    """There is no frame, no state and no cookie."""
    told = requests.get(demo.url("/.well-known/openid-configuration"), timeout=SECONDS).json()
    assert "check_session_iframe" not in told
    assert requests.get(demo.url("/oidc/session"), timeout=SECONDS).status_code == 404
    anna = Person(demo, "anna")
    assert "session_state" not in join(demo).client.visit(anna)
    assert "idp-state" not in anna.session.cookies


@SESSION.proves("SM-discovery", "SM-frame")
def test_the_frame(watched: Demo) -> None:
    """Its headers let it be framed, and nothing else happen."""
    told = requests.get(watched.url("/.well-known/openid-configuration"), timeout=SECONDS).json()
    assert told["check_session_iframe"] == watched.url("/oidc/session")
    page = requests.get(told["check_session_iframe"], timeout=SECONDS)
    assert page.status_code == 200
    assert "X-Frame-Options" not in page.headers
    assert page.headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors *"
    )
    elsewhere = requests.get(watched.url("/uitloggen"), timeout=SECONDS)
    assert elsewhere.headers["X-Frame-Options"] == "DENY"


@SESSION.proves("SM-state", "SM-state-error", "SM-cookie")
def test_what_a_login_leaves(watched: Demo, client: OpenIdClient) -> None:
    """A state beside the code, and a cookie for scripts that is worth nothing as a session."""
    anna = Person(watched, "anna")
    first, second = client.visit(anna), client.visit(anna)
    for told in (first, second):
        assert " " not in told["session_state"]
    assert first["session_state"] != second["session_state"]
    assert "session_state" not in client.visit(Person(watched, "anna"), acr_values="urn:x")
    state = next(one for one in anna.session.cookies if one.name == "idp-state")
    assert not state.has_nonstandard_attr("HttpOnly")
    thief = requests.Session()
    thief.cookies.set("idp-sso", state.value)
    thief.cookies.set("idp-state", state.value)
    assert "error=login_required" in client.go(thief, prompt="none").headers["Location"]


@SESSION.proves("SM-unchanged", "SM-changed", "SM-client", "SM-error")
def test_a_page_that_watches(watched: Demo, client: OpenIdClient, own: Hearing, chromium: Browser) -> None:
    """A client's page hears unchanged, and changed once the person logged out; wrong questions are told apart."""
    anna, emre = Person(watched, "anna"), Person(watched, "emre")
    known, other = (client.visit(one)["session_state"] for one in (anna, emre))
    context = brought(chromium, watched, anna)
    page = context.new_page()
    page.goto(own.url + "/watch")
    page.wait_for_function("frames.length === 1")
    page.frames[1].wait_for_load_state()
    assert answer(page, f"{client.client_id} {known}") == "unchanged"
    assert answer(page, f"another {known}") == "changed"
    assert answer(page, f"{client.client_id} {other}") == "changed"
    with hearing() as elsewhere:
        elsewhere.documents.update(own.documents)
        stranger = context.new_page()
        stranger.goto(elsewhere.url + "/watch")
        stranger.frames[1].wait_for_load_state()
        assert answer(stranger, f"{client.client_id} {known}") == "changed"
    for wrong in ("", "x", f"{client.client_id}", f"{client.client_id} {known} more"):
        assert answer(page, wrong) == "error"
    leaving = context.new_page()
    leaving.goto(watched.url("/uitloggen"))
    leaving.get_by_test_id("logout").click()
    assert answer(page, f"{client.client_id} {known}") == "changed"
    context.close()


def test_every_requirement_is_proven() -> None:
    """No requirement of the profile is without a test."""
    assert SESSION.unproven() == []
