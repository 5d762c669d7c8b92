"""A rehearsal: our signing key and a provider's are replaced while people log in (issue of the interface, SEC-42)."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests
from lxml import etree

from idp.protocols.saml.xmlsec.signing import Signatory, sign
from idp.protocols.saml.xmlsec.xml import MD, parse, serialise
from tests.bench.samlparty import FlowFailed, SamlParty, verify_response
from tests.conformance.person import Person, Posted
from tests.fixtures.sandbox import Demo
from tests.protocol.xml_kit import rsa_key

FOLLOWER, STUBBORN, NEXT_ONLY, ROLLER = (
    f"https://{name}.example.test/saml" for name in ("follows", "old", "next", "own")
)
_NS = {"md": MD, "ds": "http://www.w3.org/2000/09/xmldsig#"}
_DEADLINE = 120
_KEY = re.compile(r"<md:KeyDescriptor.*</md:KeyDescriptor>")


@dataclass
class Provider:
    """A relying party that logs its person in again and again, believing only the metadata of ours that it holds."""

    parties: list[SamlParty]
    person: Person
    metadata: Callable[[], bytes]
    done: int = 0
    failed: list[str] = field(default_factory=list)
    locations: set[str] = field(default_factory=set)

    @property
    def entity_id(self) -> str:
        """Its entity ID."""
        return self.parties[0].entity_id

    def log_in(self) -> None:
        """One login: a signed request to the address of our metadata, an answer signed by one of their keys."""
        root = etree.fromstring(self.metadata())
        location = str(root.xpath("string(//md:SingleSignOnService/@Location)", namespaces=_NS))
        keys = root.xpath("//md:KeyDescriptor[@use='signing']//ds:X509Certificate/text()", namespaces=_NS)
        asked = self.parties[self.done % len(self.parties)].posted(location)
        ended = self.person.post(location, dict(parse_qsl(asked.body.decode())))
        assert isinstance(ended, Posted), ended
        _verify_by_one(
            ended, [f"-----BEGIN CERTIFICATE-----\n{key}\n-----END CERTIFICATE-----\n" for key in keys], asked.id
        )
        self.locations.add(location)
        self.done += 1

    def work(self, stop: threading.Event) -> None:
        """Log in until told to stop; what fails is kept."""
        while not stop.is_set():
            try:
                self.log_in()
            except (AssertionError, FlowFailed, requests.RequestException, KeyError, ValueError) as error:
                self.failed.append(f"{self.entity_id}: {error}"[:500])
                self.done += 1
            stop.wait(0.4)


def _verify_by_one(ended: Posted, certificates: list[str], request_id: str) -> None:
    from base64 import b64decode

    octets, problems = b64decode(ended.fields["SAMLResponse"]), []
    for certificate in certificates:
        try:
            verify_response(octets, certificate.encode(), request_id)
        except Exception as error:
            problems.append(f"{type(error).__name__}: {error}")
        else:
            return
    raise FlowFailed(f"signed by none of {len(certificates)} keys: {problems}")


@dataclass
class Federation:
    """An aggregate on a server of its own, signed by a key that an operator pinned."""

    octets: bytes = b""
    port: int = 0

    def publish(self, *entities: str) -> None:
        """Hold these entities from now on."""
        inside = "".join(entities)
        root = parse(
            f'<md:EntitiesDescriptor xmlns:md="{MD}" ID="_federation">{inside}</md:EntitiesDescriptor>'.encode()
        )
        sign(root, Signatory(rsa_key("federation")))
        self.octets = serialise(root)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}/aggregate.xml"


@pytest.fixture
def federation() -> Iterator[Federation]:
    """A running federation."""
    found = Federation()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(found.octets)))
            self.end_headers()
            self.wfile.write(found.octets)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


def test_both_sides_roll_over_without_a_failure_and_the_stubborn_provider_is_named(
    start_demo: Callable[..., Demo], federation: Federation, tmp_path: Path
) -> None:
    """Under continuous logins at three workers nothing fails, and only who holds old metadata is a straggler."""
    demo = start_demo(environ={"IDP_SERVER_WORKERS": "3"})
    parties = follower, stubborn, next_only, roller = [
        SamlParty(one, one) for one in (FOLLOWER, STUBBORN, NEXT_ONLY, ROLLER)
    ]
    _register(demo, tmp_path, parties, federation)
    old = fetched(demo)
    held = {NEXT_ONLY: old}
    providers = [
        Provider([follower], Person(demo, "anna"), partial(fetched, demo)),
        Provider([stubborn], Person(demo, "petra"), lambda: old),
        Provider([next_only], Person(demo, "rosa"), lambda: held[NEXT_ONLY]),
        Provider([roller], Person(demo, "bram"), partial(fetched, demo)),
    ]
    for one in providers:
        one.log_in()
    with logging_in(providers):
        _roll_ours(demo, providers, held)
        _roll_theirs(demo, federation, providers[3], SamlParty(ROLLER, ROLLER))
        more(providers)
        found = done(demo, "keys", "stragglers")["stragglers"]
        assert demo.run("keys", "retire", address(old).rpartition("/")[2]).returncode == 1
    assert [one for provider in providers for one in provider.failed] == []
    assert [(one["entity_id"], one["status"]) for one in found] == [(STUBBORN, "retiring")]
    assert address(fetched(demo)) in providers[0].locations & providers[2].locations
    assert providers[1].locations == {address(old)}
    demo.stop()


def _register(demo: Demo, folder: Path, parties: list[SamlParty], federation: Federation) -> None:
    """Three providers by file, and the last by the address of an aggregate with a pinned signature."""
    for party in parties[:3]:
        file = folder / "metadata.xml"
        file.write_text(party.metadata())
        done(demo, "providers", "add", "--metadata", str(file), "--services", "UWV")
    federation.publish(_entity(parties[3]), _entity(parties[0]))
    signer = folder / "federation.pem"
    signer.write_text(rsa_key("federation").public.certificate)
    source = ("--url", federation.url, "--signer", str(signer), "--entity", parties[3].entity_id)
    done(demo, "providers", "add", *source, "--services", "UWV")


def _roll_ours(demo: Demo, providers: list[Provider], held: dict[str, bytes]) -> None:
    """Our next key is published, refused as too early, and made active by force."""
    more(providers)
    name = done(demo, "keys", "plan", "saml-signing")["key"]["name"]
    eventually(lambda: signing_keys(fetched(demo)) == 2, times=12)
    held[NEXT_ONLY] = done(demo, "keys", "export", "--next")["metadata"].encode()
    assert signing_keys(held[NEXT_ONLY]) == 1
    more(providers)
    early = demo.run("keys", "activate", name)
    assert (early.returncode, "--force" in early.stderr) == (1, True)
    said = done(demo, "keys", "activate", name, "--dry-run")
    assert any(STUBBORN in one for one in said["consequences"])
    done(demo, "keys", "activate", name, "--force")
    eventually(lambda: address(fetched(demo)).endswith(name), times=12)
    more(providers)


def _roll_theirs(demo: Demo, federation: Federation, provider: Provider, other: SamlParty) -> None:
    """The provider announces a second key, uses both, takes the first from its metadata, and lets it go later."""
    (first,) = provider.parties
    federation.publish(_entity(first, other))
    changes = done(demo, "providers", "refresh", ROLLER, "--dry-run")["changes"]
    assert [(one["subject"], one["before"], one["weaker"]) for one in changes] == [("signing certificate", "", False)]
    assert len(done(demo, "providers", "refresh", ROLLER)["changes"]) == 1
    # As long as the contract allows workers to take (2 s): a provider waits before it uses what it announced.
    time.sleep(3)
    provider.parties.append(other)
    more([provider])
    federation.publish(_entity(other))
    done(demo, "providers", "refresh", ROLLER)
    time.sleep(3)
    more([provider])
    listed = done(demo, "providers", "keys", ROLLER)["certificates"]
    assert sorted((one["listed"], one["source"]) for one in listed) == [(False, "url"), (True, "url")]


@contextmanager
def logging_in(providers: list[Provider]) -> Iterator[None]:
    """All providers at work, each in a thread."""
    stop = threading.Event()
    threads = [threading.Thread(target=one.work, args=(stop,)) for one in providers]
    for one in threads:
        one.start()
    try:
        yield
    finally:
        stop.set()
        for one in threads:
            one.join()


def more(providers: list[Provider], logins: int = 3) -> None:
    """Wait until each made so many logins more."""
    aims = [one.done + logins for one in providers]
    eventually(lambda: all(one.done >= aim for one, aim in zip(providers, aims, strict=True)))


def eventually(condition: Callable[[], bool], times: int = 1) -> None:
    """Wait until something holds so many times in a row."""
    end, seen = time.monotonic() + _DEADLINE, 0
    while seen < times:
        assert time.monotonic() < end, "it never came about"
        seen = seen + 1 if condition() else 0
        time.sleep(0.05)


def done(demo: Demo, *arguments: str) -> Any:
    """What a command says that must succeed."""
    ran = demo.run(*arguments, "--json")
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def fetched(demo: Demo) -> bytes:
    """Our metadata as they are now."""
    return requests.get(demo.facts["saml_metadata"], timeout=30).content


def signing_keys(metadata: bytes) -> int:
    """How many keys of ours sign, by metadata."""
    return len(etree.fromstring(metadata).xpath("//md:KeyDescriptor[@use='signing']", namespaces=_NS))


def address(metadata: bytes) -> str:
    """The address of single sign-on, by metadata."""
    return str(etree.fromstring(metadata).xpath("string(//md:SingleSignOnService/@Location)", namespaces=_NS))


def _entity(*parties: SamlParty) -> str:
    """One entity with the keys of all."""
    keys = "".join(map(_key_of, parties))
    return _KEY.sub(lambda _: keys, parties[0].metadata())


@cache
def _key_of(party: SamlParty) -> str:
    """The key of a party as metadata list it, always in the same certificate."""
    found = _KEY.search(party.metadata())
    assert found
    return found[0]
