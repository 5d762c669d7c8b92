"""The whole application in one process, with the invented world behind it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from idp.app import create_app
from idp.protocols.oidc.client.registration import described
from idp.services.relying_parties import parties
from idp.services.work import Office
from tests.fixtures.database import keys
from tests.office import StandingClock, close, open_test_office
from tests.web.kit import REDIRECT, Site


@pytest.fixture(scope="session")
def web_keys() -> Path:
    """One set of keys for all tests of the run."""
    return keys()


@pytest.fixture
def clock() -> StandingClock:
    """The clock of the site."""
    return StandingClock()


@pytest.fixture
def office(sqlite_world: str, web_keys: Path, clock: StandingClock) -> Iterator[Office]:
    """An office with the world, outside of the laboratory."""
    made = open_test_office(sqlite_world, web_keys, clock, lab__enabled=False)
    yield made
    close(made)


@pytest.fixture
def site(office: Office) -> Site:
    """The application, and a client registered for every demo service under the service's name."""
    clients = {service.slug: register(office, service.slug) for service in office.directory.services()}
    return Site(create_app(office), office, clients)


def register(office: Office, service: str, base_url: str = REDIRECT) -> str:
    """A public OIDC client of one service; answers its client ID."""
    client = {"client_name": service, "redirect_uris": [base_url], "token_endpoint_auth_method": "none"}
    with office.work("test") as work:
        added = parties.add(work, described(json.dumps(client).encode(), (service,), {}, None))
    return added.party.identity
