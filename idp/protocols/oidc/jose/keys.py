"""Our own public keys, as we publish them and as we recognise our own tokens by."""

from collections.abc import Sequence
from typing import Any

from joserfc.jwk import Key, import_key

from idp.ports import Keys
from idp.protocols.oidc.jose.jws import ALGORITHMS, public_jwk


def published_keys(keys: Keys) -> list[dict[str, Any]]:
    """Every public key under every algorithm it serves, the active ones first (domain 11.1, SEC-42)."""
    return [public_jwk(public, name) for name, one in ALGORITHMS.items() for public in keys.published(one.use)]


def our_keys(keys: Keys) -> Sequence[Key]:
    """The same keys, ready to verify with."""
    return [import_key(one) for one in published_keys(keys)]
