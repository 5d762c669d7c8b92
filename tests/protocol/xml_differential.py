"""Comparing our signatures with libxmlsec1's on random documents, in both directions and under mutation."""

from collections import Counter
from random import Random

from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree

from idp.protocols.saml.algorithms import SignatureMethod
from idp.protocols.saml.refusal import Refused
from idp.protocols.saml.signature import verify
from idp.protocols.saml.signing import Signatory, sign, sign_canonical
from idp.protocols.saml.xml import METADATA, parse, serialise
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
        counts[_mutate(random, document, random.choice((signed, ours)), key)] += 1
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


def _mutate(random: Random, document: Document, signed: bytes, key: SoftKey) -> str:
    """One byte changed, dropped or doubled: never accepted by ours when refused by libxmlsec1.

    libxmlsec1 canonicalises the whole document, so a namespace name made invalid outside the signed element stops it;
    there it is asked again about the element alone, and the case is counted apart.
    """
    place = random.randrange(len(signed))
    octet = random.choice((b"", bytes([random.randrange(256)]), signed[place : place + 1] * 2, b" ", b"A", b"0"))
    mutant = signed[:place] + octet + signed[place + 1 :]
    ours, theirs = _accepted(document, mutant, key), _oracle_accepted(document, mutant, key)
    if ours is None:
        return "mutant refused by ours only" if theirs else "mutant refused by both"
    assert ours == document.expected(), mutant
    if theirs:
        return "mutant accepted by both, content unchanged"
    element = document.signed_element(etree.fromstring(mutant))
    assert _oracle_accepted(document, etree.tostring(element, encoding="utf-8", with_tail=False), key), mutant
    return "mutant outside the signed element accepted by ours, content unchanged"


def _accepted(document: Document, octets: bytes, key: SoftKey) -> bytes | None:
    try:
        element = document.signed_element(parse(octets, METADATA))
        return verify(element, document.tag, [key.private.public_key()], enclosed=True)
    except (Refused, LookupError):
        return None


def _oracle_accepted(document: Document, octets: bytes, key: SoftKey) -> bool:
    try:
        root = etree.fromstring(octets)
        return oracle_accepts(root, key, document.signed_element(root))
    except (etree.XMLSyntaxError, LookupError):
        return False
