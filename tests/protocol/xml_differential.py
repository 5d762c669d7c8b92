"""Comparing our signatures with libxmlsec1's on random documents, in both directions and under mutation."""

from collections import Counter
from copy import deepcopy
from random import Random

from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree

from idp.protocols.saml.xmlsec.algorithms import SignatureMethod
from idp.protocols.saml.xmlsec.refusal import Refused
from idp.protocols.saml.xmlsec.signature import verify
from idp.protocols.saml.xmlsec.signing import Signatory, sign, sign_canonical
from idp.protocols.saml.xmlsec.xml import METADATA, parse, serialise
from tests.protocol.xml_documents import SLOT, Document, Writer, signature_template
from tests.protocol.xml_kit import SIGNATURE, SoftKey, curve_key, oracle_accepts, oracle_signs, rsa_key

METHODS = {
    "rsa": (SignatureMethod.RSA_SHA256, SignatureMethod.RSA_SHA512, SignatureMethod.RSA_PSS_SHA256),
    "curve": (SignatureMethod.ECDSA_SHA256, SignatureMethod.ECDSA_SHA384),
}


def compare(seed: int, mutations: int = 3) -> Counter[str]:
    """One document through every direction; counts what agreed, raises ``AssertionError`` on any disagreement."""
    random = Random(seed)
    document = Writer(random).document()
    kind = "rsa" if random.random() < 0.15 else "curve"
    curve = ec.SECP384R1 if random.random() < 0.1 else ec.SECP256R1
    key = rsa_key() if kind == "rsa" else curve_key(curve)
    method = random.choice(METHODS[kind])
    counts: Counter[str] = Counter()
    signed = _theirs(random, document, key, method)
    counts["libxmlsec1 signs, ours verifies"] += _read(document, signed, key)
    ours = _ours(document, key, method)
    counts["ours signs a tree, both verify"] += _read(document, ours, key)
    _fast(document, key, method)
    counts["ours signs canonical text, both verify"] += 1
    for _ in range(mutations):
        original = random.choice((signed, ours))
        counts[_judge("one octet changed", document, _one_octet(random, original), key)] += 1
        counts[_judge("one node moved", document, _one_node(random, original), key)] += 1
    return counts


def _theirs(random: Random, document: Document, key: SoftKey, method: SignatureMethod) -> bytes:
    parser = etree.XMLParser(strip_cdata=False)
    root = etree.fromstring(document.fill(signature_template(random, method, document)), parser)
    element = document.signed_element(root)
    signature = element.find(SIGNATURE)
    assert signature is not None
    oracle_signs(root, signature, key)
    return etree.tostring(root, encoding="utf-8")


def _ours(document: Document, key: SoftKey, method: SignatureMethod) -> bytes:
    root = parse(document.fill(""), METADATA)
    sign(document.signed_element(root), Signatory(key, method, prefixes=document.prefixes))
    return serialise(root)


def _read(document: Document, signed: bytes, key: SoftKey) -> int:
    """Both accept, and ours hands back exactly what was signed."""
    theirs = etree.fromstring(signed)
    assert oracle_accepts(theirs, key, document.signed_element(theirs)), signed
    element = document.signed_element(parse(signed, METADATA))
    content = verify(element, document.tag, [key.private.public_key()], enclosed=True)
    assert content == document.expected(), signed
    return 1


def _fast(document: Document, key: SoftKey, method: SignatureMethod) -> None:
    """Canonical text, signed without a canonicaliser, is canonical still, and valid."""
    head, tail = document.expected(SLOT).split(SLOT.encode())
    signed = sign_canonical(head, tail, Signatory(key, method, prefixes=document.prefixes))
    root = parse(signed, METADATA)
    again = etree.tostring(root, method="c14n", exclusive=True, inclusive_ns_prefixes=list(document.prefixes))
    assert again == signed
    assert oracle_accepts(root, key), signed
    assert verify(root, document.tag, [key.private.public_key()]) == head + tail


def _one_octet(random: Random, signed: bytes) -> bytes:
    """One octet changed, dropped or doubled."""
    place = random.randrange(len(signed))
    octet = random.choice((b"", bytes([random.randrange(256)]), signed[place : place + 1] * 2, b" ", b"A", b"0"))
    return signed[:place] + octet + signed[place + 1 :]


def _one_node(random: Random, signed: bytes) -> bytes:
    """One element copied or moved somewhere else, dropped, renamed, or given an attribute of another."""
    root = etree.fromstring(signed)
    nodes = [node for node in root.iter("*") if node is not root]
    node, place = random.choice(nodes), random.choice([root, *nodes])
    match random.randrange(5):
        case 0:
            place.insert(random.randint(0, len(place)), deepcopy(node))
        case 1 if place not in node.iter():
            place.insert(random.randint(0, len(place)), node)
        case 2:
            node.getparent().remove(node)  # type: ignore[union-attr]
        case 3:
            node.tag = place.tag
        case _:
            node.attrib.update(dict(place.attrib))
    return etree.tostring(root, encoding="utf-8")


def _judge(what: str, document: Document, mutant: bytes, key: SoftKey) -> str:
    """Never accepted by ours when refused by libxmlsec1, and never with other content than was signed.

    libxmlsec1 canonicalises the whole document and takes the first element of the name, so what is made invalid
    outside the signed element stops it; then it is asked about the element alone, and the case is counted apart.
    """
    element, ours = _accepted(document, mutant, key)
    theirs = _oracle_accepted(document, mutant, key)
    if element is None:
        return f"{what}: refused by ours only" if theirs else f"{what}: refused by both"
    assert ours == document.expected(), mutant
    if theirs:
        return f"{what}: accepted by both, content unchanged"
    assert _oracle_accepted(document, element, key), mutant
    return f"{what}: outside the signed element, accepted by ours, content unchanged"


def _accepted(document: Document, octets: bytes, key: SoftKey) -> tuple[bytes | None, bytes]:
    """The signed element as it stood there and what ours hands back, or nothing."""
    try:
        element = document.signed_element(parse(octets, METADATA))
        alone = etree.tostring(element, encoding="utf-8", with_tail=False)
        return alone, verify(element, document.tag, [key.private.public_key()], enclosed=True)
    except (Refused, LookupError):
        return None, b""


def _oracle_accepted(document: Document, octets: bytes, key: SoftKey) -> bool:
    try:
        root = etree.fromstring(octets)
        return oracle_accepts(root, key, document.signed_element(root))
    except (etree.XMLSyntaxError, LookupError):
        return False
