"""The pages of a logout that an OpenID client asks for: clean by axe, in both languages, and without JavaScript."""

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.test_accessible import DESKTOP, PHONE, check
from tests.conformance.hearing import hearing
from tests.conformance.joining import join
from tests.conformance.person import Person
from tests.fixtures.sandbox import Demo

LANGUAGES = pytest.mark.parametrize(
    ("language", "size", "scheme"), [("nl", PHONE, "light"), ("en", DESKTOP, "dark")], ids=["nl", "en"]
)


def brought(context: BrowserContext, person: Person) -> Page:
    """A page in a browser with the cookies of a person."""
    for cookie in person.session.cookies:
        context.add_cookies([{"name": cookie.name, "value": cookie.value or "", "url": person.demo.base_url}])
    return context.new_page()


@LANGUAGES
def test_asking_and_done(demo: Demo, chromium: Browser, language: str, size: dict[str, int], scheme: str) -> None:
    """Without an ID token the page asks on whose behalf; the last page names who else is told, in frames unseen."""
    demo.reset()
    with hearing() as own:
        client = join(demo, redirect_uris=[own.url + "/cb"], frontchannel_logout_uri=own.url + "/bye").client
        other = join(demo, redirect_uris=[own.url + "/cb"], frontchannel_logout_uri=own.url + "/too").client
        anna = Person(demo, "anna")
        client.tokens(anna)
        other.tokens(anna)
        context = chromium.new_context(locale=language, viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
        page = brought(context, anna)
        page.goto(demo.url(f"/oidc/logout?client_id={client.client_id}"))
        assert page.locator("html").get_attribute("lang") == language
        asking = {"nl": "vraagt om u ook bij ons uit te loggen", "en": "asks us to log you out here as well"}
        assert asking[language] in page.inner_text("main")
        check(page)
        page.get_by_test_id("logout").click()
        page.wait_for_load_state("networkidle")
        assert page.get_by_test_id("noticed").locator("li").count() == 1
        check(page)
        assert {one.path for one in own.heard} == {"/bye", "/too"}
        context.close()


def test_without_javascript(demo: Demo, chromium: Browser) -> None:
    """The same in a browser that runs no scripts: the person agrees by a button, and a link leads back."""
    demo.reset()
    with hearing() as own:
        members = {"redirect_uris": [own.url + "/cb"], "post_logout_redirect_uris": [own.url + "/after"]}
        client, anna = join(demo, **members, frontchannel_logout_uri=own.url + "/bye").client, Person(demo, "anna")
        client.tokens(anna)
        context = chromium.new_context(java_script_enabled=False)
        page = brought(context, anna)
        given = {"client_id": client.client_id, "post_logout_redirect_uri": own.url + "/after"}
        page.goto(str(requests.Request("GET", demo.url("/oidc/logout"), params=given).prepare().url))
        page.get_by_test_id("logout").click()
        page.get_by_test_id("return").click()
        assert page.url == own.url + "/after"
        assert [one.path for one in own.heard if one.path != "/favicon.ico"] == ["/bye", "/after"]
        context.close()
