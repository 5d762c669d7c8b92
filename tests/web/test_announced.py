"""A date of enforcement is announced until it comes, and decides nothing (F06)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from idp.services.catalogue.loading import store
from idp.services.decision.conclusion import dutch_day
from tests.office import StandingClock
from tests.web.kit import Page, Site, told

OWN = "http://localhost"


def enforced_in(site: Site, days: int, **changes: object) -> None:
    """Let RVO-3 be enforced some days from now."""
    day = dutch_day(site.office.clock.now()) + timedelta(days=days)
    (service,) = (one for one in site.office.directory.services() if one.slug == "RVO-3")
    with site.office.work("test") as work:
        store(work, (replace(service, enforced_from=day, **changes),))  # type: ignore[arg-type]  # any fact


def banners(page: Page) -> list[str]:
    """What a page announces."""
    return [one.get_text(" ", strip=True) for one in page.soup.select("[data-testid=announced]")]


def test_every_page_of_a_login_announces_the_day(site: Site) -> None:
    """F06: before the day, the password page and the code page say from when, with the name of the service."""
    enforced_in(site, 45)
    first = site.begin("RVO-3")
    (banner,) = banners(first)
    assert "Verplicht vanaf 1 maart 2026" in banner
    assert "Subsidies aanvragen" in banner
    second = site.identify(first, "anna")
    assert isinstance(second, Page)
    assert banners(second) == [banner]


def test_from_the_day_on_nothing_is_announced(site: Site, clock: StandingClock) -> None:
    """The banner is there on the last day before, and gone on the day itself, by the Dutch calendar."""
    enforced_in(site, 1)
    assert len(banners(site.begin("RVO-3"))) == 1
    clock.move(timedelta(days=1))
    assert banners(site.begin("RVO-3")) == []


@pytest.mark.parametrize(("username", "answer"), [("anna", "code"), ("emre", "error")])
def test_the_date_decides_nothing(site: Site, username: str, answer: str) -> None:
    """RUL-43: with a date to come people are let in and refused as without one."""
    enforced_in(site, 45)
    found = site.log_in(username, "RVO-3")
    if isinstance(found, Page):
        found = site.fill(found, {}, control="return")
    assert answer in told(found)


def test_the_list_of_services_tells_both_sides_of_the_day(site: Site, clock: StandingClock) -> None:
    """F03, F06: from when it will be mandatory, since when it is, and the day itself in the list for programs."""
    enforced_in(site, 45)
    page = site.get("/diensten")
    assert banners(page) == ["Verplicht vanaf 1 maart 2026"]
    assert "Verplicht sinds 1 november 2019" in page.soup.get_text(" ")
    clock.move(timedelta(days=45))
    assert banners(site.get("/diensten")) == []
    assert "Verplicht sinds 1 maart 2026" in site.get("/diensten").soup.get_text(" ")
    listed = {one["id"]: one for one in site.browser.get("/diensten.json", base_url=OWN).get_json()["services"]}
    assert listed["RVO-3"]["enforced_from"] == "2026-03-01"


def test_a_private_service_stands_in_no_list(site: Site) -> None:
    """A service that is not public is left out of the page, the JSON and the published catalogue."""
    (service,) = (one for one in site.office.directory.services() if one.slug == "RVO-3")
    before = site.browser.get("/saml/service-catalogue", base_url=OWN)
    assert service.uuid.encode() in before.data
    with site.office.work("test") as work:
        store(work, (replace(service, public=False),))
    assert "Subsidies aanvragen" not in site.get("/diensten").soup.get_text(" ")
    listed = site.browser.get("/diensten.json", base_url=OWN).get_json()["services"]
    assert service.slug not in [one["id"] for one in listed]
    assert service.uuid.encode() not in site.browser.get("/saml/service-catalogue", base_url=OWN).data


def test_the_catalogue_is_published_beside_the_metadata(site: Site, clock: StandingClock) -> None:
    """Anybody fetches it, may keep it a while, is told when it did not change, and gets a new one each day."""
    answer = site.browser.get("/saml/service-catalogue", base_url=OWN)
    assert (answer.status_code, answer.mimetype) == (200, "application/xml")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "max-age=300" in answer.headers["Cache-Control"]
    again = site.browser.get("/saml/service-catalogue", base_url=OWN, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    clock.move(timedelta(days=1))
    tomorrow = site.browser.get("/saml/service-catalogue", base_url=OWN)
    assert b'IssueInstant="2026-01-16T00:00:00Z"' in tomorrow.data
    assert site.browser.head("/saml/service-catalogue", base_url=OWN).status_code == 200
    assert site.browser.post("/saml/service-catalogue", base_url=OWN).status_code == 405
