"""Verifying enveloped XML signatures of one fixed profile (SEC-9..13); ``signing`` makes them."""

import hashlib
import hmac
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from idp.protocols.saml.xmlsec.algorithms import (
    DigestMethod,
    SignatureMethod,
    VerificationKey,
    check_signature,
    digest_method,
    signature_method,
)
from idp.protocols.saml.xmlsec.refusal import Fault, Refused
from idp.protocols.saml.xmlsec.xml import DS, EXC_C14N, SAML, Element, canonical, decode_base64

ENVELOPED: Final = f"{DS}enveloped-signature"

_SIGNATURE: Final = f"{{{DS}}}Signature"
_SIGNED_INFO: Final = f"{{{DS}}}SignedInfo"
_VALUE: Final = f"{{{DS}}}SignatureValue"
_KEY_INFO: Final = f"{{{DS}}}KeyInfo"
_INCLUSIVE: Final = f"{{{EXC_C14N}}}InclusiveNamespaces"
_ISSUER: Final = f"{{{SAML}}}Issuer"

_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9_.-]{1,256}")
_PREFIX: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_WHITE: Final = re.compile(r"[ \t\r\n]+")
_MOST_PREFIXES: Final = 32

# The one shape of SignedInfo, read from its canonical form: from the very octets that the key signed (SEC-10).
# One namespace prefix throughout, no attribute, element or text beyond these, so no Type, XPath, HMACOutputLength.
_SHAPE: Final = re.compile(
    r"""
    <(?P<p>(?:[^\s<>"=:/]+:)?)SignedInfo(?:[ ]xmlns(?::[^\s<>"=:/]+)?="[^"]*")*(?:[ ]Id="[^"]*")?>\s*
      <(?P=p)CanonicalizationMethod[ ]Algorithm="(?P<canonicalization>[^"]*)">\s*
        (?:<(?:(?P<e>[^\s<>"=:/]+):)?InclusiveNamespaces[ ]xmlns(?(e):(?P=e))="http://www\.w3\.org/2001/10/xml-exc-c14n\#"
        [ ]PrefixList="[^"]*">\s*</(?(e)(?P=e):)InclusiveNamespaces>\s*)?
      </(?P=p)CanonicalizationMethod>\s*
      <(?P=p)SignatureMethod[ ]Algorithm="(?P<method>[^"]*)">\s*</(?P=p)SignatureMethod>\s*
      <(?P=p)Reference(?:[ ]Id="[^"]*")?[ ]URI="(?P<uri>[^"]*)">\s*
        <(?P=p)Transforms>\s*
          <(?P=p)Transform[ ]Algorithm="(?P<first>[^"]*)">\s*</(?P=p)Transform>\s*
          <(?P=p)Transform[ ]Algorithm="(?P<second>[^"]*)">\s*
            (?:<(?:(?P<f>[^\s<>"=:/]+):)?InclusiveNamespaces[ ]xmlns(?(f):(?P=f))="http://www\.w3\.org/2001/10/xml-exc-c14n\#"
            [ ]PrefixList="(?P<prefixes>[^"]*)">\s*</(?(f)(?P=f):)InclusiveNamespaces>\s*)?
          </(?P=p)Transform>\s*
        </(?P=p)Transforms>\s*
        <(?P=p)DigestMethod[ ]Algorithm="(?P<digest>[^"]*)">\s*</(?P=p)DigestMethod>\s*
        <(?P=p)DigestValue>(?P<value>[^<]*)</(?P=p)DigestValue>\s*
      </(?P=p)Reference>\s*
    </(?P=p)SignedInfo>
    """,
    re.VERBOSE | re.ASCII,
)


def verify(
    element: Element,
    tag: str,
    keys: Sequence[VerificationKey],
    *,
    enclosed: bool = False,
    nested: Collection[str] = (),
) -> bytes:
    """The canonical octets of a signed element; parse these, and look at nothing else (SEC-9).

    ``tag`` is the expected ``{namespace}name``. The element must be the document's root unless ``enclosed`` (an
    Assertion in a Response, a message in a SOAP Body). No other Signature may stand inside it, except as a child of
    elements whose tags are in ``nested`` (a signed Assertion in a signed Response); those are covered, not verified.
    ``keys`` come from our registry (SEC-12); KeyInfo is never trusted. The tree is used up: the Signature is taken
    out. Raises ``Refused(SIGNATURE)``, or ``Refused(MALFORMED)`` for broken base64 or an element without canonical
    form; there is no other outcome (SEC-13).
    """
    identifier = _identify(element, tag, enclosed=enclosed)
    signature = _locate(element, nested)
    signed_info, value = _open(signature)
    octets = canonical(signed_info, _prefixes(_list_of(signed_info)))
    # Java wraps long digests with carriage returns, which the canonical form writes as references.
    claim = _read(octets.decode().replace("&#xD;", " "), identifier)
    check_signature(claim.method, value, octets, keys)
    _detach(element, signature)
    content = canonical(element, claim.prefixes)
    if not hmac.compare_digest(hashlib.new(claim.digest_method.hash_name, content).digest(), claim.digest):
        _refuse("the digest does not match")
    return content


@dataclass(frozen=True, slots=True)
class _Claim:
    """What SignedInfo says, once its shape is found to be the only one accepted."""

    method: SignatureMethod
    prefixes: tuple[str, ...]
    digest_method: DigestMethod
    digest: bytes


def _refuse(detail: str) -> NoReturn:
    raise Refused(Fault.SIGNATURE, detail)


def _identify(element: Element, tag: str, *, enclosed: bool) -> str:
    """The element's ID, found to be the only one of its value, in a document without look-alike attributes (SEC-11)."""
    if element.tag != tag:
        _refuse(f"{element.tag!r} where {tag} belongs")
    if not enclosed and element.getparent() is not None:
        _refuse("the signed element is not the root")
    seen: set[str] = set()
    for node in element.getroottree().iter("*"):
        for name, value in node.items():
            if name.rpartition("}")[2].lower() != "id":
                continue
            if name not in ("ID", "Id") or value in seen:
                _refuse(f"identifier {name}={value!r} is doubled or of a foreign kind")
            seen.add(value)
    identifier = element.get("ID", "")
    if not _IDENTIFIER.fullmatch(identifier):
        _refuse(f"ID {identifier!r}")
    return identifier


def _locate(element: Element, nested: Collection[str]) -> Element:
    """The one Signature: a direct child, right after Issuer where there is one, else first (SEC-10).

    No other may stand inside the element but in the places that the caller allows.
    """
    own: list[Element] = []
    for signature in element.iter(_SIGNATURE):
        parent = signature.getparent()
        if parent is element:
            own.append(signature)
        elif getattr(parent, "tag", None) not in nested:
            _refuse("a Signature in a foreign place")
    if len(own) != 1:
        _refuse(f"{len(own)} signatures where one belongs")
    before = [sibling.tag for sibling in own[0].itersiblings("*", preceding=True)]
    if before != ([_ISSUER] if element.find(_ISSUER) is not None else []):
        _refuse("the Signature does not stand right after Issuer")
    return own[0]


def _open(signature: Element) -> tuple[Element, bytes]:
    """SignedInfo and the octets of SignatureValue; beside these only KeyInfo may stand there, which is not read."""
    children = [child.tag for child in signature]
    if children not in ([_SIGNED_INFO, _VALUE], [_SIGNED_INFO, _VALUE, _KEY_INFO]):
        _refuse(f"children of Signature {children}")
    if len(signature[1]):
        _refuse("children of SignatureValue")
    return signature[0], decode_base64(signature[1].text)


def _list_of(signed_info: Element) -> str | None:
    """The PrefixList by which SignedInfo itself is canonicalised, where the one shape has it."""
    inclusive = signed_info.find(f"./*/{_INCLUSIVE}")
    return None if inclusive is None else inclusive.get("PrefixList")


def _prefixes(text: str | None) -> tuple[str, ...]:
    prefixes = tuple(filter(None, _WHITE.split(text or "")))
    # lxml drops the token "#default" silently, so it is refused, like everything else that is no prefix.
    if len(prefixes) > _MOST_PREFIXES or not all(map(_PREFIX.fullmatch, prefixes)):
        _refuse(f"PrefixList {text!r}")
    return prefixes


def _read(signed_info: str, identifier: str) -> _Claim:
    """Read the canonical SignedInfo, refusing every shape but one before any cryptography (SEC-10)."""
    found = _SHAPE.fullmatch(signed_info)
    if found is None:
        _refuse(f"the shape of {signed_info}")
    if found["uri"] != f"#{identifier}":
        _refuse(f"Reference to {found['uri']!r}")
    algorithms = (found["canonicalization"], found["first"], found["second"])
    if algorithms != (EXC_C14N, ENVELOPED, EXC_C14N):
        _refuse(f"canonicalisation and transforms {algorithms}")
    return _Claim(
        signature_method(found["method"]),
        _prefixes(found["prefixes"]),
        digest_method(found["digest"]),
        decode_base64(found["value"]),
    )


def _detach(element: Element, signature: Element) -> None:
    """Take the Signature out and leave the text behind it: lxml would take that along, and the digest would differ."""
    previous = signature.getprevious()
    if signature.tail and previous is not None:
        previous.tail = (previous.tail or "") + signature.tail
    elif signature.tail:
        element.text = (element.text or "") + signature.tail
    element.remove(signature)
