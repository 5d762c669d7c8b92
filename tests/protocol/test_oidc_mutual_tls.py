"""Mutual TLS: clients that prove themselves by their certificate, and tokens bound to one (RFC 8705)."""

import json
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from joserfc.jwk import ECKey

from idp.domain.parties import Profile
from idp.protocols.message import Document, HttpMessage
from idp.protocols.oidc import documents, token, userinfo
from idp.protocols.oidc.client.registration import check_metadata
from idp.protocols.oidc.tokens.terms import certificate_thumbprint
from idp.services.relying_parties.settings import BadParty
from tests.protocol.oidc_kit import FORM, Provider, RelyingParty, metadata, told_by
from tests.protocol.oidc_proof import Prover, call, code_form, redeem

DN = "CN=client.example.test,O=Voorbeeld B.V.,C=NL"
REFRESHING: dict[str, Any] = {"grant_types": ["authorization_code", "refresh_token"]}


class Authority:
    """An authority that makes certificates for clients."""

    def __init__(self, now: datetime) -> None:
        self.now, self.key = now, ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test CA")])
        self.certificate = self._sign(self.name, self.key.public_key(), None, timedelta(days=3650))

    def client(
        self,
        dn: str = DN,
        lasts: timedelta = timedelta(days=30),
        key: ec.EllipticCurvePrivateKey | None = None,
    ) -> bytes:
        """A certificate (DER) of a client with all kinds of names."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName(
            [
                x509.DNSName("client.example.test"),
                x509.UniformResourceIdentifier("https://client.example.test/"),
                x509.IPAddress(ip_address("192.0.2.1")),
                x509.RFC822Name("client@example.test"),
            ]
        )
        signed = self._sign(x509.Name.from_rfc4514_string(dn), key.public_key(), names, lasts)
        return signed.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        """The authority's own certificate."""
        return self.certificate.public_bytes(Encoding.PEM)

    def _sign(
        self, subject: x509.Name, public: Any, names: x509.SubjectAlternativeName | None, lasts: timedelta
    ) -> x509.Certificate:
        authority = names is None
        usage = x509.KeyUsage(not authority, False, False, False, False, authority, authority, False, False)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - timedelta(days=1))
            .not_valid_after(self.now + lasts)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        )
        if names is not None:
            made = made.add_extension(names, critical=False)
            made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        return made.sign(self.key, hashes.SHA256())


@pytest.fixture
def authority(provider: Provider, tmp_path: Path) -> Authority:
    """The authority that the provider trusts."""
    made = Authority(provider.clock.now())
    (tmp_path / "authorities.pem").write_bytes(made.pem)
    return made


@pytest.fixture
def provider(seeded_world: Path, tmp_path: Path) -> Iterator[Provider]:
    """A provider with a place where connections bring certificates, and a file of authorities."""
    shutil.copyfile(seeded_world, tmp_path / "idp.db")
    made = Provider(
        f"sqlite:///{tmp_path / 'idp.db'}",
        empty=True,
        oidc__client_authorities=str(tmp_path / "authorities.pem"),
        server__certificate_url="https://localhost:8443",
    )
    yield made
    made.close()


def post(party: RelyingParty, form: dict[str, str], certificate: bytes, **headers: str) -> Document:
    """Call the token endpoint over a connection with a certificate."""
    body = urlencode({"client_id": party.client_id} | form).encode()
    message = HttpMessage("POST", "/oidc/token", b"", body, FORM, headers, certificate)
    return token(party.provider.office, message, party.provider.clock.now())


def exchange(party: RelyingParty, certificate: bytes, **headers: str) -> Document:
    """Exchange a fresh code over such a connection."""
    return post(party, code_form(party, party.code(scope="openid offline_access")), certificate, **headers)


def refused(document: Document, error: str = "invalid_client", status: int = 401) -> None:
    """That a call is refused in OAuth's form."""
    assert told_by(document, status)["error"] == error


SUBJECTS = [
    {"tls_client_auth_subject_dn": DN},
    {"tls_client_auth_san_dns": "client.example.test"},
    {"tls_client_auth_san_uri": "https://client.example.test/"},
    {"tls_client_auth_san_ip": "192.0.2.1"},
    {"tls_client_auth_san_email": "client@example.test"},
]
OTHERS = [
    {"tls_client_auth_subject_dn": "CN=client.example.test,C=NL"},
    {"tls_client_auth_subject_dn": "C=NL,O=Voorbeeld B.V.,CN=client.example.test"},
    {"tls_client_auth_san_dns": "example.test"},
    {"tls_client_auth_san_uri": "https://client.example.test"},
    {"tls_client_auth_san_ip": "192.0.2.2"},
    {"tls_client_auth_san_email": "CLIENT@example.test"},
]


@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
def test_a_client_is_known_by_its_certificate(
    provider: Provider, authority: Authority, subject: dict[str, str]
) -> None:
    """A certificate by an authority of ours, with the registered name, proves the client (section 2.1)."""
    party = provider.register(token_endpoint_auth_method="tls_client_auth", **subject)
    assert told_by(exchange(party, authority.client()))["token_type"] == "Bearer"


@pytest.mark.parametrize("subject", OTHERS, ids=str)
def test_another_name_is_another_client(provider: Provider, authority: Authority, subject: dict[str, str]) -> None:
    """A name that differs in anything is not the registered one."""
    party = provider.register(token_endpoint_auth_method="tls_client_auth", **subject)
    refused(exchange(party, authority.client()))


def test_a_certificate_must_be_there_and_good(provider: Provider, authority: Authority) -> None:
    """Without a certificate, by another authority, over, or no certificate at all: the client is not proven."""
    party = provider.register(token_endpoint_auth_method="tls_client_auth", **SUBJECTS[0])
    good, stranger = authority.client(), Authority(provider.clock.now())
    for certificate in (b"", b"x", stranger.client(), authority.client(lasts=timedelta(seconds=-1))):
        refused(exchange(party, certificate))
    form = code_form(party, party.code()) | {"client_secret": "x"}
    refused(post(party, form, good))
    assert told_by(exchange(party, good))


def test_without_authorities_nobody_is_vouched_for(provider: Provider, authority: Authority, tmp_path: Path) -> None:
    """When the file of authorities is gone or holds none, no certificate counts."""
    party = provider.register(token_endpoint_auth_method="tls_client_auth", **SUBJECTS[0])
    (tmp_path / "authorities.pem").write_text("nothing")
    refused(exchange(party, authority.client()))
    (tmp_path / "authorities.pem").unlink()
    refused(exchange(party, authority.client()))


def test_a_self_signed_certificate_proves_by_its_key(provider: Provider, authority: Authority) -> None:
    """With a registered key the certificate counts whoever signed it, until it is over (section 2.2)."""
    key = ec.generate_private_key(ec.SECP256R1())
    jwk = ECKey.import_key(key.public_key()).as_dict(private=False)  # type: ignore[arg-type]
    party = provider.register(token_endpoint_auth_method="self_signed_tls_client_auth", jwks={"keys": [jwk]})
    stranger = Authority(provider.clock.now())
    assert told_by(exchange(party, stranger.client("CN=anything", key=key)))
    refused(exchange(party, authority.client()))
    refused(exchange(party, stranger.client(key=key, lasts=timedelta(seconds=-1))))
    refused(exchange(party, b""))


WRONG: list[dict[str, Any]] = [
    {"token_endpoint_auth_method": "tls_client_auth"},
    {"token_endpoint_auth_method": "tls_client_auth", **SUBJECTS[0], **SUBJECTS[1]},
    {"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": "nonsense"},
    {"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_ip": "one"},
    {"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_dns": "a" * 600},
    {"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_dns": 5},
    {"token_endpoint_auth_method": "self_signed_tls_client_auth"},
]


@pytest.mark.parametrize("changes", WRONG, ids=range(len(WRONG)))
def test_a_registration_that_names_nobody_is_refused(changes: dict[str, Any]) -> None:
    """Exactly one name, of its kind, or a key must be registered."""
    with pytest.raises(BadParty, match="tls_client_auth"):
        check_metadata(metadata(**changes), Profile.OIDC_STANDARD)


def ask(provider: Provider, access: str, certificate: bytes) -> Document:
    """Userinfo over a connection with or without a certificate."""
    headers = {"authorization": f"Bearer {access}"}
    message = HttpMessage("GET", "/oidc/userinfo", headers=headers, certificate=certificate)
    return userinfo(provider.office, message, provider.clock.now())


@pytest.mark.parametrize("form", ["opaque", "jwt"])
def test_a_token_is_bound_to_the_certificate(provider: Provider, authority: Authority, form: str) -> None:
    """A bound token opens userinfo over a connection with its certificate alone, and says so (section 3)."""
    party = provider.register(tls_client_certificate_bound_access_tokens=True, access_token_format=form, **REFRESHING)
    certificate, other = authority.client(), authority.client()
    tokens = told_by(exchange(party, certificate, **party.basic()))
    assert tokens["token_type"] == "Bearer"
    assert told_by(ask(provider, tokens["access_token"], certificate))["sub"]
    for wrong in (other, b""):
        answer = ask(provider, tokens["access_token"], wrong)
        assert answer.status == 401
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    told = told_by(call(party, "introspect", {"token": tokens["access_token"]}))
    assert told["cnf"] == {"x5t#S256": certificate_thumbprint(certificate)}
    refused(party.redeem(party.code()), "invalid_request", 400)


def test_a_public_client_refreshes_with_its_certificate_alone(provider: Provider, authority: Authority) -> None:
    """The refresh token of a client without a secret stays with the certificate (section 4)."""
    party = provider.register(
        token_endpoint_auth_method="none", tls_client_certificate_bound_access_tokens=True, **REFRESHING
    )
    certificate = authority.client()
    tokens = told_by(exchange(party, certificate))
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    refused(post(party, form, authority.client()), "invalid_grant", 400)
    assert told_by(post(party, form, certificate))


def test_a_proof_may_name_the_address_of_certificates(provider: Provider) -> None:
    """A DPoP proof may name the endpoint where connections bring certificates, which is the same one (section 5)."""
    party, prover = provider.register(), Prover(provider)
    assert told_by(redeem(party, party.code(), prover.proof(htu="https://localhost:8443/oidc/token")))


def test_discovery_names_the_place_of_certificates(provider: Provider, shared_provider: Provider) -> None:
    """The aliases and methods are published where connections can bring certificates, and nowhere else (section 5)."""
    told, plain = (
        json.loads(documents(one.office)["/.well-known/openid-configuration"][1]) for one in (provider, shared_provider)
    )
    assert told["mtls_endpoint_aliases"]["token_endpoint"] == "https://localhost:8443/oidc/token"
    assert told["tls_client_certificate_bound_access_tokens"] is True
    methods = {"tls_client_auth", "self_signed_tls_client_auth"}
    assert methods < set(told["token_endpoint_auth_methods_supported"])
    assert not methods & set(plain["token_endpoint_auth_methods_supported"])
    assert "mtls_endpoint_aliases" not in plain
