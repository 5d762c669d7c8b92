"""The pages of a login as a person without scripts walks them."""

import pytest

from tests.services.login_kit import events
from tests.web.kit import PERSONAS, Page, Site, told


def page(found: Page | str) -> Page:
    """A page, not a way out."""
    assert isinstance(found, Page), found
    return found


def test_anna_goes_from_password_to_code_to_the_portal(site: Site) -> None:
    """Two pages, then the portal gets a code, its state and our name (RFC 9207)."""
    first = site.begin("UWV")
    assert (first.response.status_code, first.name) == (200, "login-password")
    second = page(site.identify(first, "anna"))
    assert second.name == "login-code"
    answer = told(site.prove(second, "anna"))
    assert set(answer) == {"code", "state", "iss"}


@pytest.mark.parametrize("step", ["login-password", "login-code", "login-refused", "login-choose", "login-consent"])
def test_every_step_names_service_and_provider_and_has_a_way_out(site: Site, step: str) -> None:
    """Each page of a login shows who asks what (AD-2) and lets one cancel or leave (U-11)."""
    shown = _at(site, step)
    assert shown.name == step
    text = shown.soup.get_text(" ")
    service = next(one for one in site.office.directory.services() if one.slug == _SERVICE_OF[step])
    assert service.name["nl"] in text
    assert service.provider.name["nl"] in text
    way_out = "return" if step == "login-refused" else "cancel"
    answer = told(site.fill(shown, {}, control=way_out))
    expected = "unmet_authentication_requirements" if step == "login-refused" else "access_denied"
    assert answer["error"] == expected


_SERVICE_OF = {
    "login-password": "UWV",
    "login-code": "UWV",
    "login-refused": "UWV",
    "login-choose": "OLO",
    "login-consent": "UWV",
}


def _at(site: Site, step: str) -> Page:
    """A page of this step."""
    service = _SERVICE_OF[step]
    if step == "login-password":
        return site.begin(service)
    if step == "login-code":
        return page(site.identify(site.begin(service), "anna"))
    if step == "login-refused":
        return page(site.identify(site.begin(service), "emre"))
    if step == "login-choose":
        return page(site.log_in("nora", service))
    told(site.log_in("anna", "RVO-3"))
    return site.begin(service)


def test_a_wrong_password_keeps_the_name_and_tells_no_more(site: Site) -> None:
    """The page comes back with status 422, the name still there, the password gone, and one sentence."""
    shown = page(site.identify(site.begin("UWV"), "anna", "wrong1234"))
    assert shown.response.status_code == 422
    assert shown.control("username")["value"] == "anna"
    assert not shown.control("password").get("value")
    assert "anna" not in shown.soup.title.get_text()  # type: ignore[union-attr]  # every page has a title


def test_known_and_unknown_names_see_the_same_page(site: Site) -> None:
    """Apart from what was typed, and tokens, the two pages are the same to the byte (SEC-27)."""
    bodies = []
    for name in ("anna", "nona"):
        site.browser = site.new_browser()
        shown = page(site.identify(site.begin("UWV"), name, "wrong1234"))
        token = shown.form_of("step-form")["csrf_token"]
        login = shown.response.request.path.rpartition("/")[2]
        body = shown.response.get_data(as_text=True)
        bodies.append(body.replace(token, "T").replace(name, "N").replace(login, "L"))
    assert bodies[0] == bodies[1]


def test_a_wrong_code_counts_down_and_stays(site: Site) -> None:
    """A wrong code tells how often one may still try; the page stays (L02)."""
    shown = page(site.identify(site.begin("UWV"), "anna"))
    wrong = page(site.fill(shown, {"code": "12 34 56"}))
    assert (wrong.name, wrong.response.status_code) == ("login-code", 422)
    assert "4" in wrong.soup.get_text()


def test_too_many_tries_say_until_when(site: Site) -> None:
    """The sixth wrong password gets status 429 with the seconds to wait (L05)."""
    shown = site.begin("UWV")
    for _ in range(6):
        shown = page(site.identify(shown, "anna", "wrong1234"))
    assert shown.response.status_code == 429
    assert 0 < int(shown.response.headers["Retry-After"]) <= 31


def test_a_blocked_account_sees_that_it_is_blocked_and_can_cancel(site: Site) -> None:
    """The locked persona is told LOCKED after the right password, and the portal hears of the cancellation (U-11)."""
    locked = next(name for name, one in PERSONAS.items() if "LOCKED" in one.expected.values())
    shown = page(site.identify(site.begin("UWV"), locked))
    assert (shown.error, shown.response.status_code) == ("LOCKED", 403)
    assert told(site.fill(shown, {}, control="cancel"))["error"] == "access_denied"


def test_a_refusal_shows_reasons_remedies_and_a_reference_that_is_on_record(site: Site) -> None:
    """Chris reads why and how to mend it; his reference finds the event (C15, SEC-2)."""
    shown = page(site.log_in("chris", "UWV"))
    assert shown.reasons == ["BRANCH_REGISTRATION"]
    remedies = [one["data-remedy"] for one in shown.soup.find_all(attrs={"data-remedy": True})]
    assert remedies == ["CONVERT_TO_MAIN"]
    reference = shown.control("reference").get_text()
    told(site.fill(shown, {}, control="return"))
    assert reference in events(site.office, "login.refused")[-1]


def test_every_remedy_leads_to_a_page_that_is_there(site: Site) -> None:
    """No refusal of any persona has a dead link (Done-when 2)."""
    seen = set()
    for name in ("bram", "chris", "dina", "emre", "hana", "ivo", "joke", "karim", "quinten", "tess", "uma"):
        site.browser = site.new_browser()
        shown = page(site.log_in(name, "RVO-3" if name == "bram" else "UWV"))
        remedies = list(shown.soup.find_all(attrs={"data-remedy": True}))
        assert remedies, name
        for link in (one.find("a") for one in remedies):
            if link is not None and link["href"] not in seen:
                seen.add(link["href"])
                assert site.get(str(link["href"])).response.status_code == 200, link["href"]
    assert len(seen) >= 4


def test_choosing_nothing_asks_again(site: Site) -> None:
    """Sending the choice without choosing shows the page again with what is missing."""
    shown = page(site.log_in("nora", "OLO"))
    again = page(site.fill(shown, {}))
    assert (again.name, again.response.status_code) == ("login-choose", 422)
    keys = [one["value"] for one in again.soup.find_all("input", attrs={"name": "organisation"})]
    assert "code" in told(site.fill(again, {"organisation": str(keys[1])}))


def test_the_choice_lists_impossible_organisations_with_their_reason(site: Site) -> None:
    """Otto sees the client whose half is missing, closed, with D13 (RUL-15)."""
    shown = page(site.log_in("otto", "UWV"))
    assert "D13" in shown.control("impossible").get_text()


def test_the_language_follows_the_person(site: Site) -> None:
    """Dutch by default, English when the browser or the link asks for it, and the choice is kept."""
    assert site.begin("UWV").soup.html["lang"] == "nl"  # type: ignore[index]  # every page has a root
    english = site.get("/?lang=en")
    assert english.soup.html["lang"] == "en"  # type: ignore[index]
    assert site.begin("UWV").soup.html["lang"] == "en"  # type: ignore[index]
    site.browser = site.new_browser()
    assert site.begin("UWV", ui_locales="en").soup.html["lang"] == "en"  # type: ignore[index]


def test_the_back_button_after_the_end_leads_on(site: Site) -> None:
    """A login that was answered shows where to begin again, with status 410."""
    first = site.begin("UWV")
    told(site.prove(page(site.identify(first, "anna")), "anna"))
    again = site.get(first.response.request.path)
    assert (again.error, again.response.status_code) == ("EXPIRED_PAGE", 410)
    assert again.control("again")["href"]


def test_a_login_that_is_forgotten_leads_to_the_front_page(site: Site) -> None:
    """Nobody knows any more whose login it was: the page is no dead end (D.1)."""
    site.begin("UWV")
    gone = site.get(f"/login/{'0' * 32}")
    assert (gone.error, gone.control("home")["href"]) == ("EXPIRED_PAGE", "/")


def test_without_cookies_the_page_says_so(site: Site) -> None:
    """A browser that keeps no cookies is told NO_COOKIES instead of going round in circles (L08)."""
    first = site.begin("UWV")
    path = first.response.request.path
    bare = site.new_browser().get(path, base_url="http://localhost:8000")
    assert Page(bare).error == "NO_COOKIES"


def test_a_form_without_its_token_is_refused(site: Site) -> None:
    """A login form needs the token of its session (SEC-33)."""
    first = site.begin("UWV")
    response = site.post(first.response.request.path, {"step": "password", "username": "anna", "password": "x"})
    assert (Page(response).error, response.status_code) == ("EXPIRED_PAGE", 400)


def test_trying_another_account_begins_with_the_password(site: Site) -> None:
    """From a refusal one can log in as someone else, for the same request."""
    refused = page(site.identify(site.begin("UWV"), "emre"))
    again = page(site.fill(refused, {}, control="other-account"))
    assert again.name == "login-password"
    assert "code" in told(site.prove(page(site.identify(again, "anna")), "anna"))
