"""What a client keeps at addresses of its own: its keys and its redirect addresses, fetched for nobody's message."""

import json
from collections.abc import Mapping
from typing import Any, Final

from idp.ports import Fetcher, FetchFailed
from idp.protocols.oidc.client.addresses import fault_of_address
from idp.services.relying_parties.settings import BadParty

KEYS: Final = "jwks_uri"
SECTOR: Final = "sector_identifier_uri"


def remote_addresses(given: Mapping[str, Any]) -> tuple[str, ...]:
    """The addresses that a registration refers to, its keys first."""
    return tuple(given[name] for name in (KEYS, SECTOR) if given.get(name))


def obtained(given: Mapping[str, Any], fetcher: Fetcher | None) -> dict[str, Any]:
    """The metadata with the keys that they refer to; raises ``BadParty`` (RUL-31).

    ``given`` has texts for its addresses. A sector has no meaning for our pseudonyms, which go by provider (RUL-9); its
    list of addresses is held against the registration all the same (Registration 5).
    """
    if KEYS in given and "jwks" in given:
        raise BadParty("There are jwks and jwks_uri: choose one (Registration 2).")
    if not remote_addresses(given):
        return dict(given)
    if fetcher is None:
        raise BadParty("Addresses are not fetched here: put the keys in jwks and leave jwks_uri and the sector out.")
    found = dict(given)
    if given.get(KEYS):
        found["jwks"] = _json(KEYS, given[KEYS], fetcher)
    if given.get(SECTOR):
        _check_sector(_json(SECTOR, given[SECTOR], fetcher), given.get("redirect_uris", []))
    return found


def _check_sector(listed: Any, addresses: list[str]) -> None:
    if not isinstance(listed, list) or not set(addresses) <= {one for one in listed if isinstance(one, str)}:
        raise BadParty("The document at sector_identifier_uri must be a JSON list that holds every redirect_uri.")


def _json(name: str, address: str, fetcher: Fetcher) -> Any:
    fault = fault_of_address(address, native=False, local=True)
    if fault:
        raise BadParty(f"The {name} {address[:200]!r} {fault}.")
    try:
        return json.loads(fetcher.get(address).octets)
    except FetchFailed as failed:
        raise BadParty(f"The {name} cannot be used: {failed}") from None
    except (ValueError, RecursionError):
        raise BadParty(f"The document at {name} is not JSON.") from None
