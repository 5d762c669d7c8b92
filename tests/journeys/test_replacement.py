"""A lost responder and its successor, told at portals in both protocols: the same person all the way (PS-2)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pyotp
import pytest
import requests

from tests.fixtures.sandbox import Demo
from tests.journeys.walker import Walker


@pytest.fixture(scope="module")
def world(demo: Demo) -> Iterator[Demo]:
    """A sandbox whose clock the test may move."""
    demo.reset()
    yield demo
    demo.reset()


def shown(world: Demo, username: str) -> str:
    """A fresh code of the device that the account has now."""
    requests.put(world.url("/lab/api/clock"), json={"advance_seconds": 30}, timeout=60).raise_for_status()
    return str(requests.get(world.url(f"/lab/api/otp/{username}"), timeout=60).json()["code"])


def at(world: Demo, protocol: str, password: str) -> Walker:
    """petra at the portal of UWV, up to her code."""
    walker = Walker(world.base_url).visit("/lab/portal/UWV").follow(f"start-{protocol}").through()
    return walker.submit(username="petra", password=password)


def told(walker: Walker) -> list[str]:
    """What the portal calls the person."""
    page = walker.through().page
    assert (page.outcome, page.failed_checks) == ("granted", []), page.name
    values: dict[str, list[str]] = page.values
    return values.get("urn:etoegang:core:ActingSubjectID") or values["sub"]


def test_services_keep_seeing_the_same_person(world: Demo) -> None:
    """petra replaces her device by an app; SAML and OIDC tell the same pseudonym as before, and EH3 as before."""
    people: list[dict[str, Any]] = requests.get(world.url("/lab/api/personas"), timeout=60).json()
    password = next(one["password"] for one in people if one["id"] == "petra")
    before = {}
    for protocol in ("saml", "oidc"):
        walker = at(world, protocol, password)
        before[protocol] = told(walker.submit(code=shown(world, "petra")))
    walker.visit("/responder-koppelen")
    assert walker.page.name == "pair-responder"
    app = pyotp.TOTP(walker.page.text("app-key").replace(" ", ""))
    now = requests.get(world.url("/lab/api/clock"), timeout=60).json()["now"]
    walker.submit("app-form", **{"app-code": app.at(datetime.fromisoformat(now))})
    assert walker.page.name == "recovery-codes", walker.page.problem
    for protocol in ("saml", "oidc"):
        walker = at(world, protocol, password)
        assert told(walker.submit(code=shown(world, "petra"))) == before[protocol]
