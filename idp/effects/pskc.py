"""Vendors' seed files in PSKC (RFC 6030), plain or encrypted."""

from lxml import etree
from lxml.etree import _Element as Element

from idp.domain.otp import Algorithm
from idp.domain.seeds import BadSeed, Seed, canonical_serial, judged, without_doubles
from idp.effects.pskc_keys import PSKC, Lock, Opening, line_of, lock_of, need, number_of, octets_of

LARGEST = 64 * 1024 * 1024
_ALGORITHMS = {
    "urn:ietf:params:xml:ns:keyprov:pskc:hotp": Algorithm.HOTP,
    "urn:ietf:params:xml:ns:keyprov:pskc:totp": Algorithm.TOTP,
}
_FORM = f"{PSKC}AlgorithmParameters/{PSKC}ResponseFormat"
# The numbers of a device: under which tag each stands, and what it is when it is left out.
_NUMBERS = {"counter": ("Counter", 0), "period": ("TimeInterval", 30), "drift": ("TimeDrift", 0)}
_SUITES = frozenset({"", "HMAC-SHA1", "HMACSHA1", "SHA1"})


def read_pskc(data: bytes, opening: Opening) -> tuple[Seed, ...]:
    """The devices of a container; raises ``BadSeed`` with the first wrong line."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise BadSeed(error.lineno or 1, "The file is no well-formed XML.") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise BadSeed(1, "The file must have no document type.")
    if root.tag != f"{PSKC}KeyContainer":
        raise BadSeed(line_of(root), "The file must be a KeyContainer of PSKC (RFC 6030).")
    if root.get("Version") != "1.0":
        raise BadSeed(line_of(root), "Version must be 1.0.")
    lock = lock_of(root, opening)
    seeds = tuple(_seed(package, lock) for package in root.iterfind(f"{PSKC}KeyPackage"))
    if not seeds:
        raise BadSeed(line_of(root), "The file holds no KeyPackage.")
    return without_doubles(seeds)


def _seed(package: Element, lock: Lock | None) -> Seed:
    key = need(package, f"{PSKC}Key")
    serial = package.find(f"{PSKC}DeviceInfo/{PSKC}SerialNo")
    # A container for software has no device; then the key is what has a number.
    named = canonical_serial(key.get("Id", "") if serial is None else serial.text or "")
    if named is None:
        raise BadSeed(
            line_of(key if serial is None else serial), "The serial number must be letters, digits or dashes."
        )
    algorithm = _algorithm(key)
    data = need(key, f"{PSKC}Data")
    secret = _value(need(data, f"{PSKC}Secret"), lock)
    numbers = {name: _number(data.find(f"{PSKC}{tag}"), lock, given) for name, (tag, given) in _NUMBERS.items()}
    seed = Seed(line_of(key), named, secret, algorithm, _digits(key), **numbers)
    parts = {"secret": f"{PSKC}Data/{PSKC}Secret", "digits": _FORM}
    parts |= {name: f"{PSKC}Data/{PSKC}{tag}" for name, (tag, _) in _NUMBERS.items()}
    found = {name: key.find(path) for name, path in parts.items()}
    return judged(seed, {name: line_of(one) for name, one in found.items() if one is not None})


def _algorithm(key: Element) -> Algorithm:
    found = _ALGORITHMS.get(key.get("Algorithm", ""))
    if found is None:
        raise BadSeed(line_of(key), "The key must be for HOTP or TOTP.")
    suite = key.find(f"{PSKC}AlgorithmParameters/{PSKC}Suite")
    if suite is not None and (suite.text or "").strip().upper() not in _SUITES:
        raise BadSeed(line_of(suite), "The device must use HMAC with SHA-1.")
    return found


def _digits(key: Element) -> int:
    form = key.find(_FORM)
    if form is None:
        raise BadSeed(line_of(key), "There is no ResponseFormat, so nobody knows how long a code is.")
    length = form.get("Length", "")
    if form.get("Encoding") != "DECIMAL" or not (length.isascii() and length.isdecimal()):
        raise BadSeed(line_of(form), "A code must be decimal, with its length.")
    if form.get("CheckDigits", "false") in ("true", "1"):
        raise BadSeed(line_of(form), "A code must have no check digit.")
    return int(length[:3])


def _value(element: Element, lock: Lock | None) -> bytes:
    plain = element.find(f"{PSKC}PlainValue")
    if plain is not None:
        return octets_of(plain)
    if lock is None:
        raise BadSeed(line_of(element), "The value is encrypted, but the container names no EncryptionKey.")
    return lock.open(element)


def _number(element: Element | None, lock: Lock | None, given: int) -> int:
    if element is None:
        return given
    plain = element.find(f"{PSKC}PlainValue")
    if plain is not None:
        return number_of(plain)
    if lock is None:
        raise BadSeed(line_of(element), "The value is encrypted, but the container names no EncryptionKey.")
    octets = lock.open(element)
    if len(octets) > 8:
        raise BadSeed(line_of(element), "This must be a whole number of at most 8 octets.")
    return int.from_bytes(octets, "big")
