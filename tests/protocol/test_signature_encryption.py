"""Encryption for recipients, in the layout that clients read, and decryption that says one thing only."""

from base64 import b64decode
from collections.abc import Callable
from hashlib import sha256

import pytest
import xmlsec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from lxml import etree

from idp.protocols.saml.xmlsec.decryption import LocalDecryptionKey, decrypt
from idp.protocols.saml.xmlsec.encryption import (
    DEPLOYED,
    OAEP,
    BlockCipher,
    Envelope,
    KeyTransport,
    Recipient,
    Scheme,
    Wrapper,
    encrypt,
)
from idp.protocols.saml.xmlsec.refusal import Fault, Refused
from idp.protocols.saml.xmlsec.signature import verify
from idp.protocols.saml.xmlsec.signing import Signatory, sign_canonical
from idp.protocols.saml.xmlsec.xml import DS, SAML, SAMLP, XENC, Element, Schemas, canonical, parse, serialise
from tests.protocol.xml_kit import ASSERTION, SoftKey, base64, oracle_key, rsa_key

NAME_ID = f"{{{SAML}}}NameID"
PLAIN = f'<saml:NameID xmlns:saml="{SAML}" NameQualifier="urn:q">90000001</saml:NameID>'.encode()
MODERN = Scheme(BlockCipher.AES256_GCM, KeyTransport.OAEP_SHA256)
SCHEMES = pytest.mark.parametrize("scheme", [DEPLOYED, MODERN], ids=["deployed", "modern"])
LAYOUTS = pytest.mark.parametrize("inline", [False, True], ids=["sibling", "inline"])


def entropy(seed: bytes = b"") -> Callable[[int], bytes]:
    """Octets that differ at every call and are the same in every run."""
    count = 0

    def draw(length: int) -> bytes:
        nonlocal count
        count += 1
        return sha256(seed + bytes([count])).digest()[:length]

    return draw


def reader() -> SoftKey:
    return rsa_key("reader")


def recipient(key: SoftKey, name: str | None = "reader-key") -> Recipient:
    public = key.private.public_key()
    assert hasattr(public, "encrypt")
    return Recipient("urn:etoegang:DV:00000003000000010000:entities:9009", name, public)


def opener(key: SoftKey) -> LocalDecryptionKey:
    return LocalDecryptionKey(key.private)  # type: ignore[arg-type]


def encrypted(scheme: Scheme = DEPLOYED, *, inline: bool = False, plaintext: bytes = PLAIN) -> Element:
    envelope = Envelope(Wrapper.ENCRYPTED_ID, scheme, inline=inline)
    return parse(encrypt(plaintext, [recipient(reader())], envelope, entropy()))


@SCHEMES
@LAYOUTS
@pytest.mark.parametrize("others", [0, 1, 2])
def test_every_layout_is_read_by_us_and_by_the_oracle(scheme: Scheme, inline: bool, others: int) -> None:
    """One recipient or several, beside or inside: libxmlsec1 and we read the same NameID (ENC-1, ENC-2, RUL-27)."""
    recipients = [recipient(rsa_key(f"other {n}"), f"k{n}") for n in range(others)] + [recipient(reader())]
    octets = encrypt(PLAIN, recipients, Envelope(Wrapper.ENCRYPTED_ID, scheme, inline=inline), entropy())
    assert canonical(parse(octets)) == octets
    found = decrypt(parse(octets), NAME_ID, [opener(reader())])
    assert canonical(found) == PLAIN
    theirs = etree.fromstring(octets)
    xmlsec.tree.add_ids(theirs, ["Id"])
    manager = xmlsec.KeysManager()
    manager.add_key(oracle_key(reader()))
    decrypted = xmlsec.EncryptionContext(manager).decrypt(theirs[0])
    assert (decrypted.tag, decrypted.text) == (NAME_ID, "90000001")


@SCHEMES
def test_what_the_oracle_encrypts_we_read(scheme: Scheme) -> None:
    """The reverse: libxmlsec1 encrypts, ours decrypts, with EncryptedKey in KeyInfo as it writes it."""
    root = etree.fromstring(f'<saml:EncryptedID xmlns:saml="{SAML}">'.encode() + PLAIN + b"</saml:EncryptedID>")
    cipher = xmlsec.constants.TransformAes256Cbc if scheme is DEPLOYED else xmlsec.constants.TransformAes256Gcm
    template = xmlsec.template.encrypted_data_create(root, cipher, type=xmlsec.constants.TypeEncElement, ns="xenc")
    xmlsec.template.encrypted_data_ensure_cipher_value(template)
    info = xmlsec.template.encrypted_data_ensure_key_info(template, ns="ds")
    key = xmlsec.template.add_encrypted_key(info, xmlsec.constants.TransformRsaOaep)
    xmlsec.template.encrypted_data_ensure_cipher_value(key)
    manager = xmlsec.KeysManager()
    manager.add_key(oracle_key(reader()))
    context = xmlsec.EncryptionContext(manager)
    data_type = xmlsec.constants.KeyDataAes
    context.key = xmlsec.Key.generate(data_type, 256, xmlsec.constants.KeyDataTypeSession)
    context.encrypt_xml(template, root[0])
    found = decrypt(parse(etree.tostring(root)), NAME_ID, [opener(reader())])
    assert found.text == "90000001"


def test_the_layout_of_eherkenning() -> None:
    """Attributes, algorithms and places are those of the observed messages (domain 3.5, ENC-1..4)."""
    root = encrypted()
    data, key = root
    assert (data.tag, key.tag) == (f"{{{XENC}}}EncryptedData", f"{{{XENC}}}EncryptedKey")
    assert data.get("Type") == "http://www.w3.org/2001/04/xmlenc#Element"
    assert data[0].get("Algorithm") == "http://www.w3.org/2001/04/xmlenc#aes256-cbc"
    pointer = data.find(f"{{{DS}}}KeyInfo/{{{DS}}}RetrievalMethod")
    assert pointer is not None
    assert dict(pointer.attrib) == {"Type": "http://www.w3.org/2001/04/xmlenc#EncryptedKey", "URI": f"#{key.get('Id')}"}
    assert key.get("Recipient") == "urn:etoegang:DV:00000003000000010000:entities:9009"
    assert key[0].get("Algorithm") == "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"
    assert key[0][0].get("Algorithm") == "http://www.w3.org/2000/09/xmldsig#sha1"
    assert key.findtext(f"{{{DS}}}KeyInfo/{{{DS}}}KeyName") == "reader-key"
    reference = key.find(f"{{{XENC}}}ReferenceList/{{{XENC}}}DataReference")
    assert reference is not None
    assert reference.get("URI") == f"#{data.get('Id')}"
    assert key.find(f"{{{XENC}}}CarriedKeyName") is None


def test_several_recipients_share_one_name() -> None:
    """With several, one EncryptedKey and one pointer each, and the same CarriedKeyName (ENC-2, ENC-3)."""
    two = [recipient(rsa_key("other"), "old"), recipient(reader(), "new")]
    root = parse(encrypt(PLAIN, two, Envelope(Wrapper.ENCRYPTED_ID), entropy()))
    keys = root.findall(f"{{{XENC}}}EncryptedKey")
    assert [key.findtext(f"{{{DS}}}KeyInfo/{{{DS}}}KeyName") for key in keys] == ["old", "new"]
    assert len({key.findtext(f"{{{XENC}}}CarriedKeyName") for key in keys}) == 1
    pointers = [one.get("URI") for one in root.iter(f"{{{DS}}}RetrievalMethod")]
    assert pointers == [f"#{key.get('Id')}" for key in keys]
    assert len({node.get("Id") for node in root.iter() if node.get("Id")}) == 3


@SCHEMES
@LAYOUTS
def test_encrypted_messages_are_schema_valid(scheme: Scheme, inline: bool) -> None:
    """Every layout is what the schemas of SAML and XML encryption allow."""
    two = [recipient(rsa_key("other"), None), recipient(reader())]
    inside = encrypt(PLAIN, two, Envelope(Wrapper.ENCRYPTED_ID, scheme, inline=inline), entropy())
    start = f'<p:LogoutRequest xmlns:p="{SAMLP}" ID="_l" Version="2.0" IssueInstant="2026-01-01T00:00:00Z">'
    root = parse(start.encode() + inside + b"</p:LogoutRequest>")
    Schemas.load().validate(root)
    assert root[0].tag == f"{{{SAML}}}EncryptedID"


def test_an_enclosed_element_fits_canonical_text() -> None:
    """Inside an Assertion the declaration of ``saml`` is left out, and the whole stays canonical."""
    inside = encrypt(PLAIN, [recipient(reader())], Envelope(Wrapper.ENCRYPTED_ID, enclosed=True), entropy())
    octets = f'<saml:AttributeValue xmlns:saml="{SAML}">'.encode() + inside + b"</saml:AttributeValue>"
    assert canonical(parse(octets)) == octets
    assert decrypt(parse(octets)[0], NAME_ID, [opener(reader())]).text == "90000001"


def test_a_signed_assertion_survives_encryption() -> None:
    """Signed, encrypted, decrypted, verified: the Assertion comes back with a valid signature (features: generic)."""
    head = f'<saml:Assertion xmlns:saml="{SAML}" ID="_a"><saml:Issuer>idp</saml:Issuer>'.encode()
    signed = sign_canonical(head, b"<saml:Subject></saml:Subject></saml:Assertion>", Signatory(rsa_key()))
    envelope = Envelope(Wrapper.ENCRYPTED_ASSERTION, MODERN, inline=True)
    root = parse(encrypt(signed, [recipient(reader())], envelope, entropy()))
    found = decrypt(root, ASSERTION, [opener(reader())])
    content = verify(found, ASSERTION, [rsa_key().private.public_key()], enclosed=True)
    assert content == head + b"<saml:Subject></saml:Subject></saml:Assertion>"


@SCHEMES
@pytest.mark.parametrize("length", range(33))
def test_every_length_is_padded_right(scheme: Scheme, length: int) -> None:
    """Plaintexts around the block length come back whole."""
    plain = f'<saml:NameID xmlns:saml="{SAML}">{"x" * length}</saml:NameID>'.encode()
    assert canonical(decrypt(encrypted(scheme, plaintext=plain), NAME_ID, [opener(reader())])) == plain


def test_entropy_is_what_makes_messages_differ() -> None:
    """All randomness that is ours comes from the argument; two draws give two keys, vectors and identifiers (ENC-6)."""
    envelope = Envelope(Wrapper.ENCRYPTED_ID)
    one, same, other = (
        parse(encrypt(PLAIN, [recipient(reader())], envelope, entropy(seed))) for seed in (b"1", b"1", b"2")
    )
    assert one[0].get("Id") == same[0].get("Id") != other[0].get("Id")
    values = [root[0].findtext(f"{{{XENC}}}CipherData/{{{XENC}}}CipherValue") for root in (one, same, other)]
    assert values[0] == values[1] != values[2]
    drawn: list[int] = []
    encrypt(PLAIN, [recipient(reader())], envelope, lambda length: drawn.append(length) or b"\1" * length)  # type: ignore[func-returns-value]
    assert sorted(drawn) == [16, 16, 16, 32]


def test_nobody_to_encrypt_for() -> None:
    """No recipient, no message (ENC-5)."""
    with pytest.raises(ValueError, match="nobody"):
        encrypt(PLAIN, [], Envelope(Wrapper.ENCRYPTED_ID), entropy())


def test_any_of_our_keys_opens_it() -> None:
    """During roll-over the older key still opens (ENC-2)."""
    keys = [opener(rsa_key("newer")), opener(reader())]
    assert decrypt(encrypted(), NAME_ID, keys).text == "90000001"


def test_plaintext_may_lean_on_the_namespaces_around_it() -> None:
    """Some senders leave declarations outside: they are put around the plaintext."""
    root = encrypted(plaintext=b"<saml:NameID>x</saml:NameID>")
    assert decrypt(root, NAME_ID, [opener(reader())]).text == "x"


def tampered(path: str) -> Callable[[Element], None]:
    def change(root: Element) -> None:
        node = root.find(path)
        assert node is not None
        octets = bytearray(b64decode(node.text or ""))
        octets[-1] ^= 1
        node.text = base64(bytes(octets))

    return change


def algorithm(tag: str, value: str) -> Callable[[Element], None]:
    def change(root: Element) -> None:
        next(root.iter(f"{{{XENC}}}{tag}")).find(f"{{{XENC}}}EncryptionMethod").set("Algorithm", value)  # type: ignore[union-attr]

    return change


def digest(value: str) -> Callable[[Element], None]:
    def change(root: Element) -> None:
        next(root.iter(f"{{{DS}}}DigestMethod")).set("Algorithm", value)

    return change


def reference(root: Element) -> None:
    value = next(root.iter(f"{{{XENC}}}CipherValue"))
    value.tag = f"{{{XENC}}}CipherReference"
    value.set("URI", "http://evil.test/")


def rewrapped(transform: Callable[[bytes], bytes]) -> Callable[[Element], None]:
    """Another session key for the same ciphertext."""

    def change(root: Element) -> None:
        node = root.find(f"{{{XENC}}}EncryptedKey/{{{XENC}}}CipherData/{{{XENC}}}CipherValue")
        assert node is not None
        pad = OAEP[DEPLOYED.transport].padding()
        secret = reader().private.decrypt(b64decode(node.text or ""), pad)  # type: ignore[union-attr]
        node.text = base64(reader().private.public_key().encrypt(transform(secret), pad))  # type: ignore[union-attr]

    return change


def parameters(tag: str, name: str) -> Callable[[Element], None]:
    def change(root: Element) -> None:
        method = next(root.iter(f"{{{XENC}}}{tag}")).find(f"{{{XENC}}}EncryptionMethod")
        assert method is not None
        etree.SubElement(method, f"{{{XENC}}}{name}").text = "256"

    return change


def shortened(length: int) -> Callable[[Element], None]:
    def change(root: Element) -> None:
        node = next(root.iter(f"{{{XENC}}}CipherValue"))
        node.text = base64(b64decode(node.text or "")[:length])

    return change


def doubled(tag: str) -> Callable[[Element], None]:
    def change(root: Element) -> None:
        node = root.find(f".//{{{XENC}}}{tag}")
        assert node is not None
        node.addnext(etree.fromstring(etree.tostring(node, with_tail=False)))

    return change


def dropped(tag: str) -> Callable[[Element], None]:
    def change(root: Element) -> None:
        node = next(root.iter(tag))
        node.getparent().remove(node)  # type: ignore[union-attr]

    return change


BROKEN: dict[str, Callable[[Element], None]] = {
    "data": tampered(f"{{{XENC}}}EncryptedData/{{{XENC}}}CipherData/{{{XENC}}}CipherValue"),
    "key": tampered(f"{{{XENC}}}EncryptedKey/{{{XENC}}}CipherData/{{{XENC}}}CipherValue"),
    "3DES": algorithm("EncryptedData", f"{XENC}tripledes-cbc"),
    "AES-128": algorithm("EncryptedData", f"{XENC}aes128-cbc"),
    "other cipher": algorithm("EncryptedData", "http://www.w3.org/2009/xmlenc11#aes256-gcm"),
    "RSA 1.5": algorithm("EncryptedKey", f"{XENC}rsa-1_5"),
    "key transport": algorithm("EncryptedKey", "http://www.w3.org/2009/xmlenc11#rsa-oaep"),
    "digest": digest(f"{XENC}sha256"),
    "CipherReference": reference,
    "short key": rewrapped(lambda secret: secret[:16]),
    "another key": rewrapped(lambda secret: bytes(32)),
    "cipher with parameters": parameters("EncryptedData", "KeySize"),
    "OAEP with parameters": parameters("EncryptedKey", "OAEPparams"),
    "value with a child": lambda root: next(root.iter(f"{{{XENC}}}CipherValue")).append(etree.Element("x")),
    "only a vector": shortened(16),
    "half a block": shortened(40),
    "nothing": shortened(0),
    "two data": doubled("EncryptedData"),
    "no data": dropped(f"{{{XENC}}}EncryptedData"),
    "no key": dropped(f"{{{XENC}}}EncryptedKey"),
    "no method": dropped(f"{{{XENC}}}EncryptionMethod"),
    "no value": dropped(f"{{{XENC}}}CipherValue"),
    "type": lambda root: root[0].set("Type", f"{XENC}Content"),
    "many keys": lambda root: [root.append(etree.fromstring(etree.tostring(root[1]))) for _ in range(4)] and None,
}


@pytest.mark.parametrize("breaking", BROKEN.values(), ids=BROKEN.keys())
def test_every_failure_sounds_the_same(breaking: Callable[[Element], None]) -> None:
    """Tampering, weak or foreign algorithms, references, missing parts: one fault, one public sentence (RUL-27)."""
    root = encrypted()
    breaking(root)
    with pytest.raises(Refused) as refused:
        decrypt(parse(serialise(root)), NAME_ID, [opener(reader())])
    assert refused.value.fault is Fault.DECRYPTION
    assert refused.value.public == "The message cannot be decrypted."
    assert refused.value.__cause__ is None


@SCHEMES
def test_every_tampered_octet_of_an_authenticated_message_is_refused(scheme: Scheme) -> None:
    """GCM: any changed octet is refused. CBC: what comes out is refused or another text, so it is only used signed."""
    root = encrypted(scheme)
    node = root.find(f"{{{XENC}}}EncryptedData/{{{XENC}}}CipherData/{{{XENC}}}CipherValue")
    assert node is not None
    octets = b64decode(node.text or "")
    outcomes = set()
    for place in range(len(octets)):
        changed = bytearray(octets)
        changed[place] ^= 0x80
        node.text = base64(bytes(changed))
        try:
            outcomes.add(decrypt(root, NAME_ID, [opener(reader())]).text == "90000001")
        except Refused as refused:
            outcomes.add(refused.fault)
    if scheme is MODERN:
        assert outcomes == {Fault.DECRYPTION}
    assert Fault.DECRYPTION in outcomes


@pytest.mark.parametrize(
    "plaintext",
    [
        b"",
        b"text",
        PLAIN + PLAIN,
        b"x" + PLAIN,
        PLAIN + b"x",
        b"</plaintext><evil/><plaintext>",
        b"<!-- c -->" + PLAIN,
        b'<!DOCTYPE a [<!ENTITY e "x">]>' + PLAIN,
        b'<?xml version="1.0"?>' + PLAIN,
        b"<a/>",
        b"\xff",
    ],
)
def test_the_plaintext_is_one_element_of_the_expected_kind(plaintext: bytes) -> None:
    """Nothing, several, markup that breaks out, comments, a DTD, another element: refused with the one fault."""
    with pytest.raises(Refused) as refused:
        decrypt(encrypted(plaintext=plaintext), NAME_ID, [opener(reader())])
    assert refused.value.fault is Fault.DECRYPTION


@pytest.mark.parametrize(("length", "accepted"), [(0, False), (1, True), (16, True), (17, False), (32, False)])
def test_padding_is_one_to_sixteen_octets(length: int, accepted: bool) -> None:
    """The last octet says how many go; none, or more than a block, is refused even if an element remains."""
    secret = entropy()(32)
    spaces = b" " * (-(len(PLAIN) + (length or 16)) % 16)
    padded = PLAIN.replace(b" Name", spaces + b" Name") + bytes((length or 16) - 1) + bytes([length])
    encryptor = Cipher(algorithms.AES256(secret), modes.CBC(bytes(16))).encryptor()
    root = encrypted()
    next(root.iter(f"{{{XENC}}}CipherValue")).text = base64(bytes(16) + encryptor.update(padded))
    if accepted:
        assert decrypt(root, NAME_ID, [opener(reader())]).text == "90000001"
        return
    with pytest.raises(Refused, match="padding"):
        decrypt(root, NAME_ID, [opener(reader())])


def test_the_work_of_decrypting_is_bounded() -> None:
    """More keys than a party has are not tried (SEC-3)."""
    assert decrypt(encrypted(), NAME_ID, [opener(reader())] * 4).text == "90000001"
    with pytest.raises(Refused, match="5 keys"):
        decrypt(encrypted(), NAME_ID, [opener(reader())] * 5)


def test_a_stranger_cannot_read_it() -> None:
    """Without a recipient's key there is nothing to read."""
    with pytest.raises(Refused):
        decrypt(encrypted(), NAME_ID, [opener(rsa_key("stranger"))])
    with pytest.raises(Refused):
        decrypt(encrypted(), NAME_ID, [])
