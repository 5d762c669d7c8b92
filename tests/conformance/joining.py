"""Clients that register themselves at a running sandbox."""

from dataclasses import dataclass
from typing import Any

import requests

from tests.conformance.openid import CALLBACK, OpenIdClient
from tests.fixtures.sandbox import Demo

SECONDS = 60


@dataclass
class Joined:
    """A client and what it was told when it registered."""

    client: OpenIdClient
    told: dict[str, Any]

    def manage(self, method: str, told: Any = None, token: str | None = None) -> requests.Response:
        """Call its configuration endpoint, with its own token unless another is given."""
        headers = {"Authorization": f"Bearer {self.told['registration_access_token'] if token is None else token}"}
        return requests.request(
            method, self.told["registration_client_uri"], json=told, headers=headers, timeout=SECONDS
        )


def ask(demo: Demo, **members: Any) -> requests.Response:
    """Ask for a registration; a member that is None is left out."""
    given = {"redirect_uris": [CALLBACK], "services": ["OLO"], **members}
    sent = {name: value for name, value in given.items() if value is not None}
    return requests.post(demo.url("/oidc/register"), json=sent, timeout=SECONDS)


def join(demo: Demo, **members: Any) -> Joined:
    """Register a client that must be welcome."""
    answer = ask(demo, **members)
    assert answer.status_code == 201, answer.text
    told = dict(answer.json())
    client = OpenIdClient(demo, told["client_id"], told.get("client_secret", ""), told)
    return Joined(client, told)
