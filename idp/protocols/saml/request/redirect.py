"""The HTTP-Redirect binding: signatures over the octets of the query exactly as they travel (SEC-15, SIG-8)."""

import re
import zlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from idp.protocols.saml.xmlsec.algorithms import VerificationKey, check_signature, signature_method
from idp.protocols.saml.xmlsec.refusal import Fault, Refused
from idp.protocols.saml.xmlsec.signing import Signatory
from idp.protocols.saml.xmlsec.xml import MESSAGE, decode_base64

_DEFLATE: Final = "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE"
_QUERY: Final = re.compile(rb"[\x21-\x7e]*")
_BAD_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_LONGEST_QUERY: Final = 64 * 1024
_MOST_PARAMETERS: Final = 32


class Parameter(StrEnum):
    """Which of the two message parameters."""

    REQUEST = "SAMLRequest"
    RESPONSE = "SAMLResponse"


_OURS: Final = frozenset({*Parameter, "RelayState", "SigAlg", "Signature", "SAMLEncoding"})


@dataclass(frozen=True, slots=True)
class RedirectMessage:
    """A message that may be read: ``octets`` is the inflated XML, ``relay_state`` the decoded value or None."""

    parameter: Parameter
    octets: bytes
    relay_state: str | None


@dataclass(frozen=True, slots=True)
class RedirectQuery:
    """A query taken apart but not verified: read its ``message`` only to learn whose keys to try, or where a provider
    may send unsigned requests (RUL-23). ``method`` and ``signature`` are None when it has no signature."""

    message: RedirectMessage
    signed: bytes
    method: str | None
    signature: bytes | None


def read_redirect(query: bytes, limit: int = MESSAGE.octets) -> RedirectQuery:
    """Take a raw query string apart; ``limit`` bounds the inflated message in octets (SEC-3, SEC-4, RUL-26).

    Raises ``Refused``: MALFORMED (duplicate or disguised parameter, bad escape, base64 or DEFLATE), TOO_LARGE,
    SIGNATURE (SigAlg without Signature or the reverse). Parameters that are not SAML's are ignored.
    """
    raw = _parameters(query)
    parameters = [one for one in Parameter if one in raw]
    if len(parameters) != 1:
        raise Refused(Fault.MALFORMED, "not exactly one of SAMLRequest and SAMLResponse")
    if _decoded(raw.get("SAMLEncoding")) not in (None, _DEFLATE):
        raise Refused(Fault.MALFORMED, "SAMLEncoding is not DEFLATE")
    if ("SigAlg" in raw) != ("Signature" in raw):
        raise Refused(Fault.SIGNATURE, "SigAlg and Signature do not come together")
    parameter = parameters[0]
    octets = inflate(decode_base64(_decoded(raw[parameter])), limit)
    message = RedirectMessage(parameter, octets, _decoded(raw.get("RelayState")))
    signed = b"&".join(name.encode() + b"=" + raw[name] for name in (parameter, "RelayState", "SigAlg") if name in raw)
    signature = decode_base64(_decoded(raw["Signature"])) if "Signature" in raw else None
    return RedirectQuery(message, signed, _decoded(raw.get("SigAlg")), signature)


def verify_redirect(query: RedirectQuery, keys: Sequence[VerificationKey]) -> RedirectMessage:
    """The message, once one of the registered keys is found to have signed it; else ``Refused(SIGNATURE)`` (SEC-13)."""
    if query.signature is None:
        raise Refused(Fault.SIGNATURE, "the query has no signature")
    check_signature(signature_method(query.method), query.signature, query.signed, keys)
    return query.message


def write_redirect(message: RedirectMessage, signatory: Signatory | None) -> str:
    """The query string (without question mark) that carries the message, signed when a signatory is given (SIG-8)."""
    pairs = {message.parameter.value: _deflate(message.octets)}
    if message.relay_state is not None:
        pairs["RelayState"] = message.relay_state
    if signatory is None:
        return _encoded(pairs)
    signed = _encoded(pairs | {"SigAlg": signatory.method.value})
    value = signatory.key.sign(signatory.method.key_algorithm, signed.encode())
    return f"{signed}&{_encoded({'Signature': b64encode(value).decode()})}"


def inflate(octets: bytes, limit: int) -> bytes:
    """Raw DEFLATE undone up to ``limit`` octets; ``Refused``: TOO_LARGE beyond, MALFORMED when broken or trailing."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        result = stream.decompress(octets, limit + 1)
    except zlib.error as error:
        raise Refused(Fault.MALFORMED, f"DEFLATE: {error}") from error
    if len(result) > limit:
        raise Refused(Fault.TOO_LARGE, f"inflates to more than {limit} octets")
    if not stream.eof or stream.unused_data:
        raise Refused(Fault.MALFORMED, "DEFLATE ends early, or something follows it")
    return result


def _deflate(octets: bytes) -> str:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return b64encode(stream.compress(octets) + stream.flush()).decode()


def _encoded(pairs: Mapping[str, str]) -> str:
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs.items())


def _parameters(query: bytes) -> dict[str, bytes]:
    """SAML's parameters with their raw values; each once, and under its plain name (SEC-4)."""
    if len(query) > _LONGEST_QUERY:
        raise Refused(Fault.TOO_LARGE, f"a query of {len(query)} octets")
    if not _QUERY.fullmatch(query) or _BAD_ESCAPE.search(query):
        raise Refused(Fault.MALFORMED, "the query is not plain ASCII, or has a bad escape")
    fields = query.split(b"&")
    if len(fields) > _MOST_PARAMETERS:
        raise Refused(Fault.TOO_LARGE, f"{len(fields)} parameters")
    found: dict[str, bytes] = {}
    for field in fields:
        raw, _, value = field.partition(b"=")
        name = unquote_to_bytes(raw.replace(b"+", b" ")).decode("latin-1")
        if name not in _OURS:
            continue
        if name in found or raw != name.encode():
            raise Refused(Fault.MALFORMED, f"{name} is doubled or disguised")
        found[name] = value
    return found


def _decoded(raw: bytes | None) -> str | None:
    if raw is None:
        return None
    try:
        return unquote_to_bytes(raw.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(Fault.MALFORMED, "a parameter is not UTF-8") from error
