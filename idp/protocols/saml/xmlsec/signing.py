"""Making enveloped XML signatures: on a live tree, or on text that is canonical already (performance rule 2)."""

import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass
from typing import Final

from idp.ports import SigningKey
from idp.protocols.saml.xmlsec.algorithms import DigestMethod, SignatureMethod
from idp.protocols.saml.xmlsec.signature import ENVELOPED
from idp.protocols.saml.xmlsec.xml import (
    DS,
    EXC_C14N,
    SAML,
    Element,
    canonical,
    escape_attribute,
    escape_text,
    parse,
)

_START: Final = re.compile(rb'<[^ >]+((?: [^ =>]+="[^"]*")*)>')
_ID: Final = re.compile(rb' ID="([A-Za-z0-9_.-]{1,256})"')
_ATTRIBUTE: Final = re.compile(rb' [^ =]+="[^"]*"')
_ISSUER: Final = f"{{{SAML}}}Issuer"
_NAMESPACE: Final = f' xmlns:ds="{DS}"'


@dataclass(frozen=True, slots=True)
class Signatory:
    """How we sign: key, algorithms, the KeyInfo to show, and the PrefixList; make it once per key, not per message."""

    key: SigningKey
    method: SignatureMethod = SignatureMethod.RSA_SHA256
    digest: DigestMethod = DigestMethod.SHA256
    key_info: str = ""
    prefixes: tuple[str, ...] = ()


def key_name(key: SigningKey) -> str:
    """KeyInfo with KeyName only, for messages (SIG-6)."""
    return f"<ds:KeyInfo><ds:KeyName>{escape_text(key.public.kid)}</ds:KeyName></ds:KeyInfo>"


def key_certificate(key: SigningKey) -> str:
    """KeyInfo with one X509Certificate only, for metadata (SIG-5)."""
    lines = key.public.certificate.split("\n")
    body = "".join(line.strip() for line in lines if not line.startswith("-----"))
    return f"<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{body}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"


def sign(element: Element, signatory: Signatory) -> None:
    """Sign a live element in place by its ``ID``: the Signature comes after Issuer, else first.

    Sign inner elements first (Assertion, then Response). Output with ``xml.serialise``; never indent afterwards.
    ``ValueError`` when the element has no usable ID or is signed already.
    """
    if element.find(f"{{{DS}}}Signature") is not None:
        raise ValueError("the element is signed already")
    identifier = element.get("ID", "")
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,256}", identifier):
        raise ValueError(f"the element cannot be signed by the ID {identifier!r}")
    digest = hashlib.new(signatory.digest.hash_name, canonical(element, signatory.prefixes)).digest()
    signature = parse(_signature(_signed_info(identifier, digest, signatory), b"", signatory).encode())
    issuer = element.find(_ISSUER)
    element.insert(0 if issuer is None else element.index(issuer) + 1, signature)
    # In place and not from our own text: inside a tree that has another prefix for the namespace, lxml takes that one.
    value = signatory.key.sign(signatory.method.key_algorithm, canonical(signature[0]))
    signature[1].text = b64encode(value).decode()


def sign_canonical(head: bytes, tail: bytes, signatory: Signatory) -> bytes:
    """The signed element, when ``head + tail`` is its exclusive canonical form and the Signature goes between.

    The fast path (performance rule 2): no parser, no canonicaliser. The ID is read from the start tag in ``head``.
    The result is canonical again, so it can be the inside of another ``sign_canonical``. With ``prefixes`` in the
    signatory the text declares those prefixes on its start tag, as a PrefixList asks. ``ValueError`` without an ID.
    """
    found = _ID.search(_attributes(head))
    if found is None:
        raise ValueError("the canonical text does not begin with a start tag that has an ID")
    digest = hashlib.new(signatory.digest.hash_name, head)
    digest.update(tail)
    info = _signed_info(found[1].decode(), digest.digest(), signatory)
    apex = info.replace("<ds:SignedInfo>", f"<ds:SignedInfo{_NAMESPACE}>", 1)
    value = signatory.key.sign(signatory.method.key_algorithm, apex.encode())
    return head + _signature(info, value, signatory).encode() + tail


def enclose(element: bytes, *prefixes: str) -> bytes:
    """A canonical element for a place where ``prefixes`` are declared already: they go from its start tag.

    Needed for a Response inside an ArtifactResponse (both ``samlp``). Its own signature stays valid. ``ValueError``
    when it is not canonical text.
    """
    attributes = _attributes(element)
    names = tuple(f" xmlns:{prefix}=".encode() for prefix in prefixes)
    kept = b"".join(one for one in _ATTRIBUTE.findall(attributes) if not one.startswith(names))
    return element.replace(attributes, kept, 1) if attributes else element


def _attributes(element: bytes) -> bytes:
    found = _START.match(element)
    if found is None:
        raise ValueError("not a canonical start tag")
    return found[1]


def _signed_info(identifier: str, digest: bytes, signatory: Signatory) -> str:
    """SignedInfo as it stands inside Signature, in canonical form but for its namespace."""
    inclusive = ""
    if signatory.prefixes:
        prefixes = escape_attribute(" ".join(signatory.prefixes))
        inclusive = f'<ec:InclusiveNamespaces xmlns:ec="{EXC_C14N}" PrefixList="{prefixes}"></ec:InclusiveNamespaces>'
    return (
        "<ds:SignedInfo>"
        f'<ds:CanonicalizationMethod Algorithm="{EXC_C14N}"></ds:CanonicalizationMethod>'
        f'<ds:SignatureMethod Algorithm="{signatory.method}"></ds:SignatureMethod>'
        f'<ds:Reference URI="#{identifier}"><ds:Transforms>'
        f'<ds:Transform Algorithm="{ENVELOPED}"></ds:Transform>'
        f'<ds:Transform Algorithm="{EXC_C14N}">{inclusive}</ds:Transform></ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{signatory.digest}"></ds:DigestMethod>'
        f"<ds:DigestValue>{b64encode(digest).decode()}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
    )


def _signature(signed_info: str, value: bytes, signatory: Signatory) -> str:
    return (
        f"<ds:Signature{_NAMESPACE}>{signed_info}"
        f"<ds:SignatureValue>{b64encode(value).decode()}</ds:SignatureValue>{signatory.key_info}</ds:Signature>"
    )
