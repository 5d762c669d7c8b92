"""A relying party that must show its certificate to fetch what its artifacts stand for (domain 3.7, SEC-16)."""

import json
import re
import ssl
import time
from base64 import b64decode
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import RSAKey

from idp.protocols.saml.response.artifact import read_artifact
from tests.bench.artifactparty import ARTIFACT, RESOLUTION, SSO, ArtifactParty
from tests.bench.oidcparty import Authorization, OidcParty
from tests.bench.samlparty import SamlParty, signing_certificate
from tests.fixtures.sandbox import Demo
from tests.journeys.test_cells import fresh_code, personas, world
from tests.journeys.walker import Walker
from tests.journeys.wallet import trust

__all__ = ["personas", "world"]
_PARTY = "urn:etoegang:DV:00000009900000001000:entities:9998"
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_SOAP = {"Content-Type": "text/xml"}


@pytest.fixture(scope="module")
def party(world: Demo, tmp_path_factory: pytest.TempPathFactory) -> tuple[ArtifactParty, tuple[str, str]]:
    """A party with mutual TLS, and the files of its certificate and key."""
    folder = tmp_path_factory.mktemp("mutual")
    saml = SamlParty(_PARTY, "https://bench.example.test/mutual", ARTIFACT, encrypted=True)
    metadata, chain, key = folder / "sp.xml", folder / "sp.crt.pem", folder / "sp.key.pem"
    metadata.write_text(saml.metadata())
    found = re.search("X509Certificate>([^<]+)<", metadata.read_text())
    assert found is not None
    der = b64decode(found[1])
    chain.write_text(ssl.DER_cert_to_PEM_cert(der))
    key.write_bytes(saml.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    added = world.run(
        "providers", "add", "--metadata", str(metadata), "--services", "UWV", "--profile", "eherkenning-1.13"
    )
    assert added.returncode == 0, added.stderr
    assert world.run("providers", "set", _PARTY, "artifact_client_certificate=true").returncode == 0
    # A running server sees a change within two seconds (contract).
    time.sleep(2.2)
    return ArtifactParty(saml), (str(chain), str(key))


def test_an_artifact_is_fetched_with_the_registered_certificate_alone(
    world: Demo,
    personas: dict[str, dict[str, Any]],
    party: tuple[ArtifactParty, tuple[str, str]],
) -> None:
    """Without a certificate, with a stranger's, or at the plain address there is nothing; with its own there is."""
    client, own = party
    asked = client.saml.posted(world.base_url + SSO)
    artifact = _log_in(world, personas["anna"], asked.body)
    assert read_artifact(artifact).index == 2
    where = world.facts["certificate_url"]
    root = str(world.folder / "authority" / "root.crt.pem")
    stranger = tuple(str(world.folder / "authority" / f"rosa.{part}.pem") for part in ("crt", "key"))
    question = client.resolve(where, artifact)
    for shown in (None, stranger):
        refused = requests.post(where + RESOLUTION, question, headers=_SOAP, cert=shown, verify=root, timeout=60)
        assert (refused.status_code, "Fault" in refused.text) == (403, True)
    plain = requests.post(
        world.base_url + RESOLUTION, client.resolve(world.base_url, artifact), headers=_SOAP, timeout=60
    )
    assert plain.status_code == 403
    answer = requests.post(where + RESOLUTION, question, headers=_SOAP, cert=own, verify=root, timeout=60)
    certificate = signing_certificate(requests.get(world.url("/saml/1.13/metadata"), timeout=60).content)
    octets, attributes = client.verify(asked, answer.content, certificate)
    assert octets > 0
    assert attributes > 0


def _log_in(world: Demo, persona: dict[str, Any], body: bytes) -> str:
    """Answer every page of a login; the artifact stands in the address that the browser is sent to."""
    walker = Walker(world.base_url)
    trust(walker, world)
    walker._arrive(walker.session.post(world.url(SSO), data=body, headers=_FORM, timeout=60))
    walker.submit(username=persona["username"], password=persona["password"])
    with pytest.raises(requests.ConnectionError) as away:
        walker.submit(code=fresh_code(world, persona["username"]))
    assert away.value.request is not None
    return parse_qs(urlsplit(str(away.value.request.url)).query)["SAMLart"][0]


def test_a_client_proves_itself_and_its_tokens_by_certificate(
    world: Demo, personas: dict[str, dict[str, Any]], party: tuple[ArtifactParty, tuple[str, str]], tmp_path: Path
) -> None:
    """A self-signed certificate authenticates the client, and its tokens are good over it alone (RFC 8705)."""
    _, own = party
    key = RSAKey.import_key(Path(own[1]).read_bytes(), {"kid": "tls", "use": "sig"})
    described = {
        "client_name": "Mutual TLS",
        "redirect_uris": ["https://bench.example.test/callback"],
        "token_endpoint_auth_method": "self_signed_tls_client_auth",
        "tls_client_certificate_bound_access_tokens": True,
        "jwks": {"keys": [key.as_dict(private=False)]},
    }
    file = tmp_path / "client.json"
    file.write_text(json.dumps(described))
    added = world.run("providers", "add", "--client", str(file), "--services", "UWV", "--json")
    assert added.returncode == 0, added.stderr
    time.sleep(2.2)
    client_id = json.loads(added.stdout)["client_id"]
    asked = OidcParty(client_id, "", "RS256").prepared()
    code = _code(world, personas["bram"], asked)
    where, root = world.facts["certificate_url"], str(world.folder / "authority" / "root.crt.pem")
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": described["redirect_uris"][0]}
    form |= {"client_id": client_id, "code_verifier": asked.verifier}
    stranger = tuple(str(world.folder / "authority" / f"rosa.{part}.pem") for part in ("crt", "key"))
    assert requests.post(f"{where}/oidc/token", form, cert=stranger, verify=root, timeout=60).status_code == 401
    tokens = requests.post(f"{where}/oidc/token", form, cert=own, verify=root, timeout=60)
    assert tokens.status_code == 200, tokens.text
    bearer = {"Authorization": f"Bearer {tokens.json()['access_token']}"}
    told = requests.get(f"{where}/oidc/userinfo", headers=bearer, cert=own, verify=root, timeout=60)
    assert told.status_code == 200, told.text
    assert requests.get(world.url("/oidc/userinfo"), headers=bearer, timeout=60).status_code == 401
    other = requests.get(f"{where}/oidc/userinfo", headers=bearer, cert=stranger, verify=root, timeout=60)
    assert other.status_code == 401


def _code(world: Demo, persona: dict[str, Any], asked: Authorization) -> str:
    walker = Walker(world.base_url).visit(asked.path)
    walker.submit(username=persona["username"], password=persona["password"])
    with pytest.raises(requests.ConnectionError) as away:
        walker.submit(code=fresh_code(world, persona["username"]))
    assert away.value.request is not None
    return parse_qs(urlsplit(str(away.value.request.url)).query)["code"][0]
