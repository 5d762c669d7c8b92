"""Registering relying parties at a running sandbox through its command."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conformance.keys import Pair
from tests.fixtures.sandbox import Demo

_MD = "urn:oasis:names:tc:SAML:2.0:metadata"
_POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"


@dataclass(frozen=True)
class Published:
    """What a SAML relying party publishes."""

    entity_id: str
    consumer: str
    key: Pair
    encrypted: bool = False
    binding: str = _POST
    exits: tuple[tuple[str, str], ...] = ()

    def xml(self) -> str:
        """Its metadata."""
        uses = ("signing", "encryption") if self.encrypted else ("signing",)
        keys = "".join(
            f'<md:KeyDescriptor use="{use}"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>'
            f"<ds:X509Certificate>{self.key.body}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
            for use in uses
        )
        exits = "".join(
            f'<md:SingleLogoutService Binding="{binding}" Location="{location}"/>' for location, binding in self.exits
        )
        return (
            f'<md:EntityDescriptor xmlns:md="{_MD}" entityID="{self.entity_id}"><md:SPSSODescriptor '
            'AuthnRequestsSigned="true" WantAssertionsSigned="true" '
            f'protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">{keys}{exits}'
            f'<md:AssertionConsumerService index="0" Binding="{self.binding}" Location="{self.consumer}"/>'
            "</md:SPSSODescriptor></md:EntityDescriptor>"
        )


@contextmanager
def register(demo: Demo, published: Published, folder: Path, services: str, *options: str) -> Iterator[dict[str, Any]]:
    """A SAML relying party that is registered for as long as the block runs."""
    file = folder / "metadata.xml"
    file.write_text(published.xml())
    yield from _registered(demo, "--metadata", str(file), "--services", services, *options)


@contextmanager
def register_client(
    demo: Demo, client: dict[str, Any], folder: Path, services: str, *options: str
) -> Iterator[dict[str, Any]]:
    """An OIDC client that is registered for as long as the block runs."""
    file = folder / "client.json"
    file.write_text(json.dumps(client))
    yield from _registered(demo, "--client", str(file), "--services", services, *options)


def _registered(demo: Demo, *options: str) -> Iterator[dict[str, Any]]:
    done = demo.run("providers", "add", "--json", *options)
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    try:
        yield facts
    finally:
        demo.run("providers", "remove", facts["id"])
