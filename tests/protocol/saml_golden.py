"""Golden messages: exact bytes where the algorithms are deterministic, else decrypted and masked (RUL-28)."""

import difflib
import re
from pathlib import Path

import pytest
import xmlsec
from lxml import etree

from idp.protocols.saml.xmlsec.xml import XENC
from tests.protocol.saml_messages import fixed_key

FOLDER = Path(__file__).parent / "golden"
_RANDOM = (
    re.compile(rb"(<ds:DigestValue>)[^<]*"),
    re.compile(rb"(<ds:SignatureValue>)[^<]*"),
    re.compile(rb'(LinkedDeclarationSignatureValue"[^>]*><xacml-context:AttributeValue>)[^<]*'),
    re.compile(rb"(<xenc:EncryptedKey .*?<xenc:CipherValue>)[^<]*"),
)


def lines(octets: bytes) -> str:
    """The same bytes with a line for each tag, so that a difference can be read."""
    return octets.decode().replace("><", ">\n<") + "\n"


def masked(octets: bytes, *decrypting: str) -> str:
    """The message without what differs every time, and what its encrypted parts say."""
    shown = octets
    for pattern in _RANDOM:
        shown = pattern.sub(rb"\1...", shown)
    return lines(shown) + "".join(f"decrypted\n{lines(one)}" for one in _decrypted(octets, decrypting))


def compare(name: str, found: str, config: pytest.Config) -> None:
    """Hold a message against its golden file; with ``--rewrite``, write it and show the difference."""
    file = FOLDER / name
    golden = file.read_text() if file.exists() else ""
    difference = "".join(
        difflib.unified_diff(golden.splitlines(keepends=True), found.splitlines(keepends=True), name, "now")
    )
    if difference and config.getoption("rewrite", False):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(found)
        with config.pluginmanager.get_plugin("capturemanager").global_and_fixture_disabled():
            print(f"\n{difference}")
    elif difference:
        pytest.fail(f"{name} is not what it was (--rewrite accepts it):\n{difference}", pytrace=False)


def named_key(name: str) -> xmlsec.Key:
    """A committed private key, under the KeyName by which others encrypt for it."""
    key = xmlsec.Key.from_memory(fixed_key(name).pem, xmlsec.constants.KeyDataFormatPem)
    key.name = fixed_key(name).public.kid
    return key


def _decrypted(octets: bytes, keys: tuple[str, ...]) -> list[bytes]:
    root = etree.fromstring(octets)
    xmlsec.tree.add_ids(root, ["ID", "Id"])
    manager = xmlsec.KeysManager()
    for name in keys:
        manager.add_key(named_key(name))
    found = []
    for node in root.xpath("//xenc:EncryptedData", namespaces={"xenc": XENC}):
        plain = xmlsec.EncryptionContext(manager).decrypt(node)
        found.append(etree.tostring(plain, method="c14n", exclusive=True, with_tail=False))
    return found
