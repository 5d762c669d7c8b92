"""Instances of one definition over HTTP: each is asked for and answered by its own names, in both protocols."""

from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from lxml import etree

from idp.app import create_app
from idp.domain.parties import Service
from idp.services.catalogue.loading import store
from idp.services.work import Office
from tests.office import StandingClock
from tests.protocol.saml_kit import schemas, values
from tests.services.instances_kit import open_instances
from tests.services.portal_kit import only_for
from tests.web.conftest import register
from tests.web.kit import Page, Site, told
from tests.web.saml_kit import Relying
from tests.web.wire import over_http

OWN = "http://localhost"


@pytest.fixture
def instances(office: Office) -> tuple[Service, Service, Service]:
    """Two instances of RVO and one of the municipality, for whose definition alone anna has a mandate."""
    made = open_instances(office)
    with office.work("test") as work:
        only_for(work, "anna", made[0])
    return made


@pytest.fixture
def site(office: Office, instances: tuple[Service, Service, Service]) -> Iterator[Site]:
    """The application behind a socket, and a client of each instance."""
    clients = {one.slug: register(office, one.slug) for one in instances}
    with over_http(create_app(office)) as app:
        yield Site(app, office, clients)


def answered(page: Page) -> tuple[list[str], list[str]]:
    """The ServiceID and ServiceUUID of a Response."""
    assert page.name == "login-answer", page.name
    root = etree.fromstring(b64decode(page.form_of("step-form")["SAMLResponse"]))
    schemas().validate(root)
    return values(root, "urn:etoegang:core:ServiceID"), values(root, "urn:etoegang:core:ServiceUUID")


def test_a_saml_party_asks_for_either_by_index(site: Site, instances: tuple[Service, Service, Service]) -> None:
    """domain 5.1: the index names the instance; the answer has its ServiceID and the definition's UUID."""
    first, second, _ = instances
    party = Relying(site, "rvo.example.test", f"{first.slug},{second.slug}").register()
    party.log_in("anna", AttributeConsumingServiceIndex="2")
    for index, one in (("1", first), ("2", second)):
        found = answered(site.get(party.ask(AttributeConsumingServiceIndex=index)))
        assert found == ([one.urn], [first.uuid])


def test_another_provider_shares_the_mandate(site: Site, instances: tuple[Service, Service, Service]) -> None:
    """domain 4.1: anna's mandate for the definition lets her in at the municipality's instance too."""
    party = Relying(site, "gemeente.example.test", instances[2].slug).register()
    party.log_in("anna")
    # The session was last used there, so nothing is asked again.
    assert answered(site.get(party.ask())) == ([instances[2].urn], [instances[0].uuid])


def test_an_openid_client_is_told_its_instance(
    site: Site, instances: tuple[Service, Service, Service], clock: StandingClock
) -> None:
    """Each client logs in at its own instance, whoever else offers the same."""
    for one in instances:
        clock.move(timedelta(seconds=30))
        site.browser = site.new_browser()
        assert "code" in told(site.log_in("anna", one.slug))


def test_everybody_reads_of_each_instance(site: Site, instances: tuple[Service, Service, Service]) -> None:
    """F03: a program finds an entry for each; people one of each provider, and two where they differ."""
    listed = site.browser.get("/diensten.json", base_url=OWN).get_json()["services"]
    found = [(one["id"], one["uuid"], one["instance_uuid"]) for one in listed if one["uuid"] == instances[0].uuid]
    assert sorted(found) == sorted((one.slug, one.uuid, one.instance_uuid) for one in instances)
    rows = [one.get_text(" ") for one in site.get("/diensten").soup.select("[data-service^=RVO-3]")]
    assert [[one.provider.name["nl"] in row for row in rows] for one in instances[1:]] == [[True, False], [False, True]]
    with site.office.work("test") as work:
        store(work, (replace(instances[1], chains=False),))
    site.office.directory._looked_at = float("-inf")
    assert len(site.get("/diensten").soup.select("[data-service^=RVO-3]")) == 3


def test_the_activity_names_the_service(site: Site, instances: tuple[Service, Service, Service]) -> None:
    """The profile says by name where one logged in, whichever instance it was."""
    party = Relying(site, "rvo.example.test", ",".join(one.slug for one in instances[:2])).register()
    party.log_in("anna", AttributeConsumingServiceIndex="2")
    assert instances[1].name["nl"] in site.get("/profiel/activiteit").soup.get_text(" ")
