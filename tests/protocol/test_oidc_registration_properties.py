"""Whatever somebody registers: a client that is told what it registered, or a sentence; never anything else."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from idp.ports import Fetched, FetchFailed
from idp.protocols.message import Document, HttpMessage
from idp.protocols.oidc.client.registrar import Registrar
from idp.protocols.oidc.client.registration import MEMBERS, NOT_OFFERED
from tests.protocol.oidc_kit import CALLBACK, Provider, jwks

JSON_KIND = "application/json"
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20)
ANY = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4))
ADDRESSES = st.sampled_from([CALLBACK, "http://localhost:5000/cb", "nl.example.app:/cb", "https://a.test/#x", "x", ""])
LIKELY = {
    "redirect_uris": st.lists(ADDRESSES, max_size=3),
    "post_logout_redirect_uris": st.lists(ADDRESSES, max_size=3),
    "frontchannel_logout_uri": ADDRESSES,
    "backchannel_logout_uri": ADDRESSES,
    "sector_identifier_uri": ADDRESSES,
    "jwks_uri": ADDRESSES,
    "jwks": st.sampled_from([jwks("ec"), jwks("rsa"), {"keys": []}, {"keys": [{"kty": "EC"}]}, {}]),
    "application_type": st.sampled_from(["web", "native", "x"]),
    "token_endpoint_auth_method": st.sampled_from(["client_secret_post", "private_key_jwt", "none", "x"]),
    "grant_types": st.lists(st.sampled_from(["authorization_code", "refresh_token", "implicit"]), max_size=3),
    "services": st.lists(st.sampled_from(["UWV", "OLO", "NOWHERE"]), max_size=2),
    "profile": st.sampled_from(["standard", "nl-gov", "fapi-2", "generic"]),
}
NAMES = sorted({*MEMBERS, *NOT_OFFERED, "unheard_of"})
ODD = st.tuples(st.sampled_from(NAMES) | st.text(), ANY)
CHANGE = st.sampled_from(sorted(LIKELY)).flatmap(lambda name: st.tuples(st.just(name), LIKELY[name])) | ODD
METADATA = st.lists(CHANGE, max_size=3).map(lambda changes: {"redirect_uris": [CALLBACK], **dict(changes)})


class Elsewhere:
    """Stands for the network: some addresses hold keys, some hold nonsense, some do not answer."""

    def get(self, url: str) -> Fetched:
        """What an address holds."""
        if len(url) % 3 == 0:
            raise FetchFailed("It does not answer.")
        octets = json.dumps(jwks("ec")).encode() if len(url) % 3 == 1 else b"\xff["
        return Fetched(octets, JSON_KIND)


REGISTRAR = Registrar(Elsewhere())


@pytest.fixture(scope="module")
def opened(seeded_world: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """A provider where anybody may register."""
    file = tmp_path_factory.mktemp("opened") / "idp.db"
    shutil.copyfile(seeded_world, file)
    made = Provider(f"sqlite:///{file}", empty=True, **{"oidc.registration": "open"})
    yield made
    made.close()


def post(provider: Provider, body: bytes, token: str = "") -> Document:
    """Ask for a registration."""
    headers = {"authorization": token} if token else {}
    message = HttpMessage("POST", "/oidc/register", b"", body, JSON_KIND, headers)
    return REGISTRAR.register(provider.office, message, provider.clock.now())


def manage(provider: Provider, method: str, told: dict[str, Any], body: bytes = b"") -> Document:
    """Call the configuration endpoint of a client."""
    headers = {"authorization": f"Bearer {told['registration_access_token']}"}
    message = HttpMessage(method, f"/oidc/register/{told['client_id']}", b"", body, JSON_KIND, headers)
    return REGISTRAR.manage(provider.office, message, provider.clock.now())


def check_refusal(document: Document) -> None:
    """A refusal is one of the standard's errors with a sentence."""
    told = json.loads(document.body)
    assert document.status == 400, document
    assert told["error"] in ("invalid_redirect_uri", "invalid_client_metadata", "unapproved_software_statement")
    assert told["error_description"].endswith(".")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example({"redirect_uris": [CALLBACK], "client_secret": []}, {"redirect_uris": [CALLBACK]})
@given(METADATA, METADATA)
def test_any_metadata(opened: Provider, first: dict[str, Any], second: dict[str, Any]) -> None:
    """Registered or refused, read again as it was told, replaced or refused, and deleted."""
    made = post(opened, json.dumps(first).encode())
    event(str(made.status))
    if made.status != 201:
        check_refusal(made)
        return
    told = json.loads(made.body)
    read = manage(opened, "GET", told)
    assert json.loads(read.body) == {name: one for name, one in told.items() if name != "client_secret"}
    replaced = manage(opened, "PUT", told, json.dumps({**second, "client_id": told["client_id"]}).encode())
    if replaced.status != 200:
        check_refusal(replaced)
        assert manage(opened, "GET", told).body == read.body
    assert manage(opened, "DELETE", told).status == 204
    assert manage(opened, "GET", told).status == 401


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200) | st.text().map(lambda one: one.encode("utf-8", "surrogatepass")))
def test_any_body(opened: Provider, body: bytes) -> None:
    """Bytes that are no metadata are refused; nearly all are none."""
    check_refusal(post(opened, body))


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=40))
def test_any_token(opened: Provider, token: str) -> None:
    """A token that nobody gave out is a 401 with a challenge, or counts as none where none is needed."""
    found = post(opened, json.dumps({"redirect_uris": [CALLBACK]}).encode(), f"Bearer {token}")
    assert found.status in (201, 401)
    if found.status == 401:
        assert found.headers["WWW-Authenticate"].startswith("Bearer ")


def test_members_that_are_known_are_judged() -> None:
    """Every member that is known is either read and typed, or refused with a sentence: none is both."""
    assert not set(MEMBERS) & set(NOT_OFFERED)
    assert all(sentence.endswith(".") for sentence in NOT_OFFERED.values())
