"""Answers by artifact: kept for one party, fetched once over SOAP, empty for everybody else (domain 3.7, SEC-16)."""

from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha1
from ssl import PEM_cert_to_DER_cert
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from sqlalchemy import select

from idp.domain.assertion import Denied
from idp.domain.parties import Party, Profile
from idp.domain.reasons import Reason
from idp.protocols.message import Answered, BadRequest, PostForm, Redirect
from idp.protocols.saml import documents
from idp.protocols.saml.dialects import DIALECTS
from idp.protocols.saml.names import Binding
from idp.protocols.saml.response.artifact import Artifact, read_artifact
from idp.protocols.saml.xmlsec.refusal import Refused
from idp.protocols.saml.xmlsec.xml import MD
from idp.store.ledger import AuditEvent
from idp.store.tickets import Ticket
from tests.protocol.saml_artifacts import (
    SERVICE,
    Resolving,
    answer_in,
    artifact_in,
    nothing_in,
    resolved,
    response_in,
)
from tests.protocol.saml_golden import compare, lines, masked
from tests.protocol.saml_kit import Bench, granted, opened, status_of, values
from tests.protocol.saml_messages import (
    ACS,
    ARTIFACT,
    DV,
    POST,
    SAML_PROFILES,
    SCHEME_METADATA,
    SP,
    Asking,
    Consumer,
    Published,
    fixed_key,
)

G, E13, E11 = SAML_PROFILES
EMPTY = {
    G: ("Success", None, None),
    E13: ("Requester", "RequestDenied", "Artifact not resolved"),
    E11: ("Requester", "RequestDenied", "Artifact not resolved"),
}
CANCELLED = Denied((Reason.CANCELLED,), "7XKQ2M9P")


def by_artifact(bench: Bench, profile: Profile, **settings: Any) -> Party:
    """A party whose first address takes artifacts."""
    if profile is not G:
        return bench.register(SCHEME_METADATA, profile, **settings)
    return bench.register(Published(consumers=(Consumer(1, ARTIFACT), Consumer(2, POST))), **settings)


def ask(profile: Profile, identity: str = "_req1") -> Asking:
    """A request for an answer by artifact."""
    attributes = {"ID": identity, "AssertionConsumerServiceIndex": "1"}
    return Asking(profile, attributes, issuer=SP if profile is G else DV)


def artifact_of(bench: Bench, profile: Profile, identity: str = "_req1") -> str:
    """An artifact that waits to be fetched."""
    return artifact_in(bench.concluded(bench.read(ask(profile, identity).posted()), granted()))


@pytest.mark.parametrize("profile", SAML_PROFILES)
def test_an_answer_by_artifact_is_as_ever(profile: Profile, bench: Bench, pytestconfig: pytest.Config) -> None:
    """The redirect, the question and the answer are the golden ones, the Response inside is whole (domain 12)."""
    by_artifact(bench, profile)
    answer = bench.concluded(bench.read(ask(profile).posted("rs-1")), granted())
    artifact = artifact_in(answer)
    assert isinstance(answer, Redirect)
    assert answer.location.startswith(ACS + "?SAMLart=")
    assert parse_qs(urlsplit(answer.location).query) == {"SAMLart": [artifact], "RelayState": ["rs-1"]}
    document = resolved(bench, Resolving(artifact, profile))
    response = response_in(answer_in(document))
    assert response is not None
    keys = ("sp-encryption",) if profile is E13 else ()
    root = opened(response, *keys)
    assert (root.get("Destination"), root.get("InResponseTo")) == (ACS, "_req1")
    name = profile.removeprefix("eherkenning-")
    compare(f"{name}/artifact.redirect.txt", answer.location + "\n", pytestconfig)
    compare(f"{name}/artifact.resolve.xml", lines(Resolving(artifact, profile).posted().body), pytestconfig)
    shown = masked(document.body, *keys) if keys else lines(document.body)
    compare(f"{name}/artifact.response.xml", shown, pytestconfig)


@pytest.mark.parametrize("profile", SAML_PROFILES)
def test_an_artifact_names_its_issuer_and_service(profile: Profile, bench: Bench) -> None:
    """44 octets: type 4, the index of the service in our metadata, SHA-1 of our entity ID, 20 that nobody repeats."""
    by_artifact(bench, profile)
    octets = [b64decode(artifact_of(bench, profile, f"_req{one}"), validate=True) for one in range(2)]
    _, metadata = documents(bench.office)[DIALECTS[profile].metadata_path]
    root = etree.fromstring(metadata)
    (service,) = root.iter(f"{{{MD}}}ArtifactResolutionService")
    assert (service.get("Binding"), service.get("Location")) == (Binding.SOAP, SERVICE[profile])
    for one in octets:
        assert (len(one), one[:2]) == (44, b"\x00\x04")
        assert str(int.from_bytes(one[2:4])) == service.get("index")
        assert one[4:24] == sha1(str(root.get("entityID")).encode()).digest()
    assert octets[0][24:] != octets[1][24:]


@pytest.mark.parametrize("profile", SAML_PROFILES)
def test_a_refusal_and_a_fault_go_by_artifact_too(profile: Profile, bench: Bench) -> None:
    """Whoever wants artifacts hears of a cancelled login and of a faulty request in the same way (domain 3.7)."""
    by_artifact(bench, profile)
    cancelled = bench.concluded(bench.read(ask(profile).posted("rs")), CANCELLED)
    faulty = replace(ask(profile, "_req2"), attributes={**ask(profile, "_req2").attributes, "Destination": ACS})
    with pytest.raises(Answered) as caught:
        bench.read(faulty.posted("rs"))
    for answer, said in ((cancelled, "Authentication cancelled"), (caught.value.answer, "Destination does not match")):
        assert isinstance(answer, Redirect)
        assert answer.location.endswith("&RelayState=rs")
        response = response_in(answer_in(resolved(bench, Resolving(artifact_in(answer), profile))))
        assert response is not None
        assert status_of(opened(response))[2] == said


def der(name: str) -> bytes:
    """A committed certificate as a connection shows it."""
    return PEM_cert_to_DER_cert(fixed_key(name).public.certificate)


def second_use(bench: Bench, profile: Profile, artifact: str) -> str:
    """Fetch it once before."""
    assert response_in(answer_in(resolved(bench, Resolving(artifact, profile)))) is not None
    return artifact


def too_late(bench: Bench, profile: Profile, artifact: str) -> str:
    """Wait for its whole life."""
    bench.clock.moment += timedelta(seconds=60)
    return artifact


def changed(place: int) -> Callable[[Bench, Profile, str], str]:
    """Change one octet."""

    def change(_bench: Bench, _profile: Profile, artifact: str) -> str:
        found = read_artifact(artifact)
        octets = bytearray(b64decode(artifact))
        octets[place] ^= 1
        return replace(
            found, index=int.from_bytes(octets[2:4]), source=bytes(octets[4:24]), handle=bytes(octets[24:])
        ).text

    return change


SPENT: dict[str, Callable[[Bench, Profile, str], str]] = {
    "second use": second_use,
    "too late": too_late,
    "guess": changed(43),
    "another issuer": changed(4),
    "another service": changed(3),
    "no artifact": lambda _bench, _profile, _artifact: "AAQ=",
    "not base64": lambda _bench, _profile, _artifact: "***",
    "empty": lambda _bench, _profile, _artifact: "",
}


@pytest.mark.parametrize("name", SPENT)
@pytest.mark.parametrize("profile", SAML_PROFILES)
def test_what_is_worth_nothing_gets_nothing(profile: Profile, name: str, bench: Bench) -> None:
    """A used, late or guessed artifact gets a signed answer without a Response, in the words of the profile."""
    by_artifact(bench, profile)
    spend = SPENT[name]
    artifact = spend(bench, profile, artifact_of(bench, profile))
    assert nothing_in(resolved(bench, Resolving(artifact, profile))) == EMPTY[profile]


@pytest.mark.parametrize("profile", SAML_PROFILES)
def test_another_party_gets_nothing_and_spends_nothing(profile: Profile, bench: Bench) -> None:
    """A stranger with a good signature of its own gets an empty answer, and the rightful party its Response still."""
    by_artifact(bench, profile)
    other = "https://other.example.test" if profile is G else DV.replace("9001", "9002")
    mine, artifact = bench.shelf.parties[ask(profile).issuer], artifact_of(bench, profile)
    bench.shelf.parties[other] = replace(mine, id="party-2", identity=other)
    assert nothing_in(resolved(bench, Resolving(artifact, profile, issuer=other))) == EMPTY[profile]
    with bench.office.reading() as connection:
        (event,) = connection.execute(select(AuditEvent.event, AuditEvent.facts)).all()
    assert tuple(event) == ("artifact.refused", '{"party":"party-2"}')
    assert response_in(answer_in(resolved(bench, Resolving(artifact, profile)))) is not None


def test_the_last_moment_counts(bench: Bench) -> None:
    """An artifact is good for sixty seconds less one moment (domain 3.7)."""
    by_artifact(bench, G)
    artifact = artifact_of(bench, G)
    bench.clock.moment += timedelta(seconds=59)
    assert response_in(answer_in(resolved(bench, Resolving(artifact)))) is not None


def test_a_kept_response_is_sealed_and_then_gone(bench: Bench) -> None:
    """Neither artifact nor Response can be read in the database, and nothing is kept of a fetched one (ENC-7)."""
    by_artifact(bench, G)
    artifact = artifact_of(bench, G)
    with bench.office.reading() as connection:
        (row,) = connection.execute(select(Ticket).where(Ticket.purpose == "saml-artifact")).all()
    assert artifact not in str(row)
    assert b"samlp:Response" not in b64decode(row.payload.split('"')[3])
    resolved(bench, Resolving(artifact))
    with bench.office.reading() as connection:
        (row,) = connection.execute(select(Ticket).where(Ticket.purpose == "saml-artifact")).all()
    assert (row.payload, row.used_at is not None) == ("{}", True)


@dataclass(frozen=True)
class Wrong:
    """What is wrong with a question, and the status it gets."""

    change: dict[str, object]
    status: str
    path: str = ""


WRONG = {
    "too old": Wrong({"attributes": {"IssueInstant": "2026-01-15T09:57:39Z"}}, "Requester"),
    "too young": Wrong({"attributes": {"IssueInstant": "2026-01-15T10:03:41Z"}}, "Requester"),
    "other destination": Wrong({"attributes": {"Destination": ACS}}, "Requester"),
    "other profile": Wrong({}, "Requester", "/saml/1.11/artifact"),
    "other version": Wrong({"attributes": {"Version": "2.1"}}, "VersionMismatch"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_faulty_question_is_told_and_spends_nothing(name: str, bench: Bench) -> None:
    """A question that is stale, strayed or of another version gets a status, and the artifact stays good (SEC-14)."""
    by_artifact(bench, G)
    artifact, wrong = artifact_of(bench, G), WRONG[name]
    asked = replace(Resolving(artifact), **wrong.change)  # type: ignore[arg-type]
    document = bench.codec.resolve(bench.office, asked.posted(wrong.path), bench.clock.now())
    assert nothing_in(document)[0] == wrong.status
    assert response_in(answer_in(resolved(bench, Resolving(artifact)))) is not None


@pytest.mark.parametrize("kind", ["text/xml", "application/soap+xml", 'TEXT/XML; charset="UTF-8"'])
def test_both_types_of_soap_are_taken_and_a_destination_may_lack(kind: str, bench: Bench) -> None:
    """Deployed clients send either media type, and some no Destination (domain 3.7)."""
    by_artifact(bench, E13)
    asked = Resolving(artifact_of(bench, E13), E13, {"Destination": None}, content_type=kind)
    assert response_in(answer_in(resolved(bench, asked))) is not None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"key": None}, "P02"),
        ({"key": "sp-encryption"}, "P02"),
        ({"issuer": "urn:nobody"}, "P01"),
        ({"content_type": "application/x-www-form-urlencoded"}, "P10"),
        ({"content_type": ""}, "P10"),
    ],
)
def test_a_question_nobody_vouches_for_is_refused(change: dict[str, object], code: str, bench: Bench) -> None:
    """Unsigned, badly signed, unknown or malformed questions get no answer, and the artifact stays good (RUL-25)."""
    by_artifact(bench, G, require_signed_requests=False)
    artifact = artifact_of(bench, G)
    with pytest.raises(BadRequest) as caught:
        resolved(bench, replace(Resolving(artifact), **change))  # type: ignore[arg-type]
    assert caught.value.code == code
    assert response_in(answer_in(resolved(bench, Resolving(artifact)))) is not None


def test_mutual_tls_where_it_is_set(bench: Bench) -> None:
    """A party that is set to it resolves with its registered certificate alone; one of another key does not do."""
    by_artifact(bench, E13, artifact_client_certificate=True)
    artifact = artifact_of(bench, E13)
    for shown in (b"", der("sp-encryption")):
        with pytest.raises(BadRequest) as caught:
            resolved(bench, Resolving(artifact, E13, certificate=shown))
        assert caught.value.code == "P12"
    proven = Resolving(artifact, E13, certificate=der("sp"))
    assert response_in(answer_in(resolved(bench, proven))) is not None


def test_an_address_with_a_query_keeps_it(bench: Bench) -> None:
    """The artifact is added to whatever the registered address has (SAML bindings 3.6)."""
    place = ACS + "?tenant=1&x=%20"
    bench.register(Published(consumers=(Consumer(1, ARTIFACT, place.replace("&", "&amp;")),)))
    answer = bench.concluded(bench.read(Asking().posted("r&s")), granted())
    assert isinstance(answer, Redirect)
    assert answer.location.startswith(place + "&SAMLart=")
    assert answer.location.endswith("&RelayState=r%26s")


def test_an_address_that_grows_too_long_becomes_a_form(bench: Bench) -> None:
    """With a RelayState of a thousand octets that triple in an address the artifact comes in a form instead."""
    by_artifact(bench, G)
    answer = bench.concluded(bench.read(ask(G).posted("%" * 1000)), granted())
    assert isinstance(answer, PostForm)
    assert (answer.action, answer.fields["RelayState"]) == (ACS, "%" * 1000)
    found = response_in(answer_in(resolved(bench, Resolving(answer.fields["SAMLart"]))))
    assert found is not None
    assert values(opened(found), "urn:etoegang:core:ServiceUUID")


@given(st.integers(0, 65535), st.binary(min_size=20, max_size=20), st.binary(min_size=20, max_size=20))
def test_an_artifact_is_read_as_it_was_written(index: int, source: bytes, handle: bytes) -> None:
    """Every artifact of type 4 is 44 octets in base64 and reads back as itself."""
    artifact = Artifact(index, source, handle)
    assert len(b64decode(artifact.text, validate=True)) == 44
    assert read_artifact(artifact.text) == artifact


@given(st.text(max_size=80) | st.binary(max_size=60).map(lambda octets: octets.hex()))
def test_anything_else_is_refused(text: str) -> None:
    """Text that is no artifact is refused, and what is read writes itself again, so none has two spellings."""
    try:
        found = read_artifact(text)
    except Refused:
        return
    assert found.text == "".join(text.split())
