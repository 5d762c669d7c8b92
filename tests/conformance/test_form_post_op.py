"""The Form Post OpenID Provider profile: answers that travel as a form, over real HTTP."""

import html
from collections.abc import Iterator

import pytest
import requests
from bs4 import BeautifulSoup, Tag

from tests.conformance.openid import OpenIdClient, own_page, registered
from tests.conformance.person import Person, Posted
from tests.conformance.profile import Profile
from tests.fixtures.sandbox import Demo

FORM_POST = Profile(
    "Form Post OP",
    {
        "FP-form": ("Form Post 2", "The answer is a page with a form that posts to the redirect address, in UTF-8."),
        "FP-fields": ("Form Post 2", "Code, state and issuer stand in fields of the form, and nowhere in an address."),
        "FP-submit": ("Form Post 2", "The form is sent without the person, and by a button where there is no script."),
        "FP-cache": ("Form Post 2", "The page is not kept anywhere, and its address is told to nobody."),
        "FP-escape": ("Form Post 4", "A value that looks like markup arrives unchanged, and is no markup on the page."),
        "FP-error": ("Form Post 2", "An error travels the same way."),
        "FP-none": ("Core 3.1.2.1", "prompt=none is answered by a form as well."),
        "FP-tokens": ("Core 3.1.3", "The code in the form gives tokens."),
        "FP-redirect": ("Core 3.1.2.1", "No form is made for an address that is not registered."),
        "FP-offered": ("Discovery 3", "The mode is published."),
        "FP-jwt": ("JARM 2.3.3", "form_post.jwt carries one field, the signed answer."),
    },
)
ODD = "\"><script>alert(1)</script>é&amp;'"


@pytest.fixture(scope="module")
def client(demo: Demo) -> Iterator[OpenIdClient]:
    """The client of this file."""
    demo.reset()
    with registered(demo, {"form": {}}) as made:
        yield made["form"]


@pytest.fixture(scope="module")
def anna(demo: Demo, client: OpenIdClient) -> Person:
    """Anna, logged in."""
    person = Person(demo, "anna")
    client.code(person)
    return person


def form_of(response: requests.Response) -> tuple[Tag, dict[str, str]]:
    """The only form on the page to a client, and its hidden fields."""
    page = BeautifulSoup(response.text, "html.parser")
    found = [one for one in page.find_all("form") if str(one.get("action", "")).startswith("https://")]
    assert len(found) == 1, response.text[:1000]
    fields = {str(one["name"]): str(one["value"]) for one in found[0].find_all("input", attrs={"type": "hidden"})}
    return found[0], fields


@FORM_POST.proves("FP-form", "FP-fields", "FP-submit", "FP-cache", "FP-tokens")
def test_a_code_travels_in_a_form(client: OpenIdClient, anna: Person) -> None:
    """The page is UTF-8, posts to the client by itself or by a button, and is kept nowhere; the code in it is good."""
    answer = client.go(anna.session, response_mode="form_post")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    form, fields = form_of(answer)
    assert (form["action"], str(form["method"]).lower()) == (client.redirect_uri, "post")
    assert set(fields) == {"code", "state", "iss"}
    assert (fields["state"], fields["iss"]) == (client.last["state"], client.demo.base_url)
    assert fields["code"] not in answer.url
    assert form.find("button") is not None
    assert "<script" in answer.text
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert client.redeem(fields["code"]).status_code == 200


@FORM_POST.proves("FP-escape")
def test_markup_is_text(client: OpenIdClient, anna: Person) -> None:
    """A state full of markup comes back letter for letter."""
    answer = client.go(anna.session, response_mode="form_post", state=ODD)
    assert "<script>alert" not in answer.text
    assert html.escape("<script>alert", quote=False) in answer.text
    assert form_of(answer)[1]["state"] == ODD


@FORM_POST.proves("FP-error", "FP-none")
def test_errors_travel_in_a_form(client: OpenIdClient, anna: Person, demo: Demo) -> None:
    """A faulty request, a passive one without a session, and a refused login."""
    fields = form_of(client.go(response_mode="form_post", response_type="token"))[1]
    assert (fields["error"], fields["state"], fields["iss"]) == (
        "unsupported_response_type",
        client.last["state"],
        demo.base_url,
    )
    assert form_of(client.go(response_mode="form_post", prompt="none"))[1]["error"] == "login_required"
    assert "code" in form_of(client.go(anna.session, response_mode="form_post", prompt="none"))[1]
    refused = Person(demo, "bram").visit(client.address(client.request(response_mode="form_post")))
    assert isinstance(refused, Posted)
    assert (refused.action, refused.fields["error"]) == (client.redirect_uri, "access_denied")


@FORM_POST.proves("FP-redirect")
def test_no_form_for_strangers(client: OpenIdClient) -> None:
    """An address that is not registered gets nothing, in this mode as in any."""
    assert own_page(client.go(response_mode="form_post", redirect_uri="https://evil.test/")) == "P03"


@FORM_POST.proves("FP-offered")
def test_the_mode_is_published(demo: Demo) -> None:
    """Discovery names it."""
    told = requests.get(demo.url("/.well-known/openid-configuration"), timeout=60).json()
    assert {"form_post", "form_post.jwt"} <= set(told["response_modes_supported"])


@FORM_POST.proves("FP-jwt")
def test_a_signed_answer_in_a_form(client: OpenIdClient, anna: Person) -> None:
    """One field, which the published keys verify."""
    fields = form_of(client.go(anna.session, response_mode="form_post.jwt"))[1]
    assert set(fields) == {"response"}
    claims = client.claims(fields["response"])
    assert (claims["aud"], claims["state"]) == (client.client_id, client.last["state"])
    assert client.redeem(claims["code"]).status_code == 200


def test_every_requirement_is_proven() -> None:
    """No requirement of the profile is without a test."""
    assert FORM_POST.unproven() == []
