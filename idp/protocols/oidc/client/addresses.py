"""Addresses that a client registers: which may be, and what is wrong with the others (SEC-19, domain 11.1)."""

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import SplitResult, urlsplit

from idp.services.relying_parties.settings import BadParty
from idp.settings import is_local

_LONGEST: Final = 2048
_MOST: Final = 50
# It comes to stand in a header of ours (form-action, frame-src), where a semicolon or a quote means something.
_HOST: Final = re.compile(r"[A-Za-z0-9.:\[\]-]*")
_OWN_SCHEME: Final = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")


class BadAddress(BadParty):
    """An address to send browsers back to cannot be registered (RFC 7591 section 3.2.2: ``invalid_redirect_uri``)."""


def check_list(name: str, addresses: Sequence[str], *, native: bool, local: bool) -> None:
    """Hold a list of addresses to its bounds and to what each must be; raises ``BadAddress``."""
    if not 0 < len(addresses) <= _MOST or len(set(addresses)) < len(addresses):
        raise BadAddress(f"{name} must list 1 to {_MOST} different addresses.")
    for address in addresses:
        check_address(name.removesuffix("s"), address, native=native, local=local)


def check_address(name: str, address: str, *, native: bool, local: bool) -> None:
    """Hold one address to what it must be; ``local`` lets http at the own machine pass. Raises ``BadAddress``."""
    fault = fault_of_address(address, native=native, local=local)
    if fault:
        raise BadAddress(f"The {name} {address[:200]!r} {fault}.")


def fault_of_address(address: str, *, native: bool, local: bool) -> str:
    """What is wrong with an address, or an empty text (SEC-19, domain 11.1, RFC 8252)."""
    parts = _split(address)
    if isinstance(parts, str):
        return parts
    host = parts.hostname or ""
    if parts.scheme == "https" and host:
        return ""
    if parts.scheme == "http" and host:
        literal = native and host in ("127.0.0.1", "::1")
        return "" if literal or (is_local(host) and local) else "is not safe: use https"
    if native and _OWN_SCHEME.fullmatch(parts.scheme):
        return ""
    return "must begin with https://, or with a scheme of the application's own domain when application_type is native"


def origin_of(address: str) -> str:
    """Scheme, host and port of an address that was checked."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _split(address: str) -> SplitResult | str:
    """The parts of an address, or what makes it none."""
    if len(address) > _LONGEST or not re.fullmatch(r"[!-~]+", address):
        return "is too long, or holds spaces or characters outside ASCII"
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        _port = parts.port
    except ValueError:
        return "is not a web address"
    if "#" in address or "@" in parts.netloc or "\\" in address or "*" in host:
        return "holds a fragment, a user name, a backslash or a wildcard"
    if not _HOST.fullmatch(parts.netloc):
        return "names a host with other characters than letters, digits, dots and hyphens"
    return parts
