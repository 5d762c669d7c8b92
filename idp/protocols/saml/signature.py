"""Verifying enveloped XML signatures of one fixed profile (SEC-9..13); ``signing`` makes them."""

import hashlib
import hmac
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from idp.protocols.saml.algorithms import (
    DigestMethod,
    SignatureMethod,
    VerificationKey,
    check_signature,
    digest_method,
    signature_method,
)
from idp.protocols.saml.refusal import Fault, Refused
from idp.protocols.saml.xml import DS, EXC_C14N, SAML, Element, canonical, decode_base64

ENVELOPED: Final = f"{DS}enveloped-signature"

_SIGNATURE: Final = f"{{{DS}}}Signature"
_SIGNED_INFO: Final = f"{{{DS}}}SignedInfo"
_VALUE: Final = f"{{{DS}}}SignatureValue"
_KEY_INFO: Final = f"{{{DS}}}KeyInfo"
_CANONICALIZATION: Final = f"{{{DS}}}CanonicalizationMethod"
_METHOD: Final = f"{{{DS}}}SignatureMethod"
_REFERENCE: Final = f"{{{DS}}}Reference"
_TRANSFORMS: Final = f"{{{DS}}}Transforms"
_TRANSFORM: Final = f"{{{DS}}}Transform"
_DIGEST_METHOD: Final = f"{{{DS}}}DigestMethod"
_DIGEST_VALUE: Final = f"{{{DS}}}DigestValue"
_INCLUSIVE: Final = f"{{{EXC_C14N}}}InclusiveNamespaces"
_ISSUER: Final = f"{{{SAML}}}Issuer"

_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9_.-]{1,256}")
_PREFIX: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_WHITE: Final = re.compile("[ \t\r\n]+")
_MOST_PREFIXES: Final = 32


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
    identifier = _identify(element, tag, enclosed)
    signature = _locate(element, nested)
    claim = _read(signature, identifier)
    check_signature(claim.method, claim.value, canonical(claim.signed_info, claim.info_prefixes), keys)
    _detach(signature)
    octets = canonical(element, claim.prefixes)
    if not hmac.compare_digest(hashlib.new(claim.digest_method.hash_name, octets).digest(), claim.digest):
        _refuse("the digest does not match")
    return octets


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a Signature says, once its shape is found to be the only one accepted."""

    signed_info: Element
    info_prefixes: tuple[str, ...]
    method: SignatureMethod
    value: bytes
    prefixes: tuple[str, ...]
    digest_method: DigestMethod
    digest: bytes


def _refuse(detail: str) -> NoReturn:
    raise Refused(Fault.SIGNATURE, detail)


def _identify(element: Element, tag: str, enclosed: bool) -> str:
    """The element's ID, found to be the only one of its value, in a document without look-alike attributes (SEC-11)."""
    if element.tag != tag:
        _refuse(f"{element.tag} where {tag} belongs")
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
    """The one Signature: a direct child, first or right after Issuer, with no other that is not allowed (SEC-10)."""
    own: list[Element] = []
    for signature in element.iter(_SIGNATURE):
        parent = signature.getparent()
        if parent is element:
            own.append(signature)
        elif parent is None or parent.tag not in nested:
            _refuse("a Signature in a foreign place")
    if len(own) != 1:
        _refuse(f"{len(own)} signatures where one belongs")
    before = [sibling.tag for sibling in own[0].itersiblings("*", preceding=True)]
    if before not in ([], [_ISSUER]):
        _refuse("the Signature does not stand right after Issuer")
    return own[0]


def _read(signature: Element, identifier: str) -> _Claim:
    """Take a Signature apart, refusing every shape but one, before any cryptography (SEC-10)."""
    children = [child.tag for child in signature]
    if children not in ([_SIGNED_INFO, _VALUE], [_SIGNED_INFO, _VALUE, _KEY_INFO]):
        _refuse(f"children of Signature {children}")
    _allow(signature, optional={"Id"})
    signed_info, value = signature[0], signature[1]
    canonicalization, method, reference = _parts(signed_info, _CANONICALIZATION, _METHOD, _REFERENCE)
    transforms, digest, digest_value = _parts(reference, _TRANSFORMS, _DIGEST_METHOD, _DIGEST_VALUE)
    enveloped, exclusive = _parts(transforms, _TRANSFORM, _TRANSFORM)
    _allow(signed_info, optional={"Id"})
    _allow(reference, {"URI"}, {"Id"})
    _allow(transforms)
    if reference.get("URI") != f"#{identifier}":
        _refuse(f"Reference to {reference.get('URI')!r}")
    if _leaf_algorithm(enveloped) != ENVELOPED:
        _refuse("the first transform is not enveloped-signature")
    return _Claim(
        signed_info,
        _exclusive_prefixes(canonicalization),
        signature_method(_leaf_algorithm(method)),
        decode_base64(_leaf_text(value, {"Id"})),
        _exclusive_prefixes(exclusive),
        digest_method(_leaf_algorithm(digest)),
        decode_base64(_leaf_text(digest_value)),
    )


def _parts(parent: Element, *tags: str) -> list[Element]:
    children = list(parent)
    if tuple(child.tag for child in children) != tags:
        _refuse(f"children of {parent.tag}")
    return children


def _allow(element: Element, required: Collection[str] = (), optional: Collection[str] = ()) -> None:
    names = set(element.keys())
    if not set(required) <= names <= {*required, *optional}:
        _refuse(f"attributes of {element.tag}: {sorted(names)}")


def _leaf_algorithm(element: Element) -> str | None:
    """The Algorithm of an element that takes no parameters (no HMACOutputLength, XPath, PSS parameters)."""
    _allow(element, {"Algorithm"})
    if len(element):
        _refuse(f"parameters in {element.tag}")
    return element.get("Algorithm")


def _leaf_text(element: Element, optional: Collection[str] = ()) -> str | None:
    """The whole text of an element without children; a comment would hide part of it."""
    _allow(element, optional=optional)
    if len(element):
        _refuse(f"children of {element.tag}")
    return element.text


def _exclusive_prefixes(element: Element) -> tuple[str, ...]:
    """The PrefixList of an exclusive canonicalisation without comments."""
    _allow(element, {"Algorithm"})
    if element.get("Algorithm") != EXC_C14N:
        _refuse(f"canonicalisation {element.get('Algorithm')!r}")
    if not len(element):
        return ()
    (inclusive,) = _parts(element, _INCLUSIVE)
    _allow(inclusive, {"PrefixList"})
    prefixes = tuple(filter(None, _WHITE.split(inclusive.get("PrefixList", ""))))
    # lxml drops the token "#default" silently, so it is refused, like everything else that is no prefix.
    if len(inclusive) or len(prefixes) > _MOST_PREFIXES or not all(map(_PREFIX.fullmatch, prefixes)):
        _refuse(f"PrefixList {inclusive.get('PrefixList')!r}")
    return prefixes


def _detach(signature: Element) -> None:
    """Take the Signature out and leave the text behind it: lxml would take that along, and the digest would differ."""
    parent, previous = signature.getparent(), signature.getprevious()
    if parent is None:
        _refuse("a Signature without parent")
    if signature.tail and previous is not None:
        previous.tail = (previous.tail or "") + signature.tail
    elif signature.tail:
        parent.text = (parent.text or "") + signature.tail
    parent.remove(signature)
