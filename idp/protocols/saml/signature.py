"""Enveloped XML signatures of one fixed profile: verifying what others sign, signing what we say (SEC-10..13)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from idp.ports import SigningKey
from idp.protocols.saml.algorithms import DigestMethod, SignatureMethod, VerificationKey
from idp.protocols.saml.xml import Element


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
    out. Raises ``Refused(SIGNATURE)``; there is no other outcome (SEC-13).
    """
    raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Signatory:
    """How we sign: key, algorithms, and the KeyInfo to show; make it once per key, not per message."""

    key: SigningKey
    method: SignatureMethod = SignatureMethod.RSA_SHA256
    digest: DigestMethod = DigestMethod.SHA256
    key_info: str = ""
    prefixes: tuple[str, ...] = ()


def named(key: SigningKey) -> str:
    """KeyInfo with KeyName only, for messages (SIG-6)."""
    raise NotImplementedError


def certified(key: SigningKey) -> str:
    """KeyInfo with X509Data/X509Certificate only, for metadata (SIG-5)."""
    raise NotImplementedError


def sign(element: Element, signatory: Signatory) -> None:
    """Sign a live element in place by its ``ID``: the Signature comes after Issuer, else first.

    Sign inner elements first (Assertion, then Response). Serialise with ``xml.serialise``, never pretty-print after.
    """
    raise NotImplementedError


def sign_canonical(head: bytes, tail: bytes, signatory: Signatory) -> bytes:
    """The signed element, when ``head + tail`` is its exclusive canonical form and the Signature goes between.

    The fast path (performance rule 2): no parser, no canonicaliser. The ID is read from the start tag in ``head``.
    The result is canonical again, so it can be the inside of another ``sign_canonical``. With ``prefixes`` in the
    signatory the text must declare those prefixes on its start tag, as a PrefixList asks.
    """
    raise NotImplementedError


def enclose(signed: bytes, *prefixes: str) -> bytes:
    """A canonical element for a place where ``prefixes`` are already declared: drops them from its start tag.

    Needed for a Response inside an ArtifactResponse (both ``samlp``). Its own signature stays valid.
    """
    raise NotImplementedError
