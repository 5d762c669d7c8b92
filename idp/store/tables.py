"""Every table, so that one import knows the whole schema."""

from idp.store import (
    catalogue,
    devices,
    grants,
    keys,
    ledger,
    logins,
    mandates,
    means,
    organisations,
    parcels,
    party_keys,
    people,
    registrations,
    tickets,
    versions,
)
from idp.store.base import Base

MODULES = (
    catalogue,
    devices,
    grants,
    keys,
    ledger,
    logins,
    mandates,
    means,
    organisations,
    parcels,
    party_keys,
    people,
    registrations,
    tickets,
    versions,
)
METADATA = Base.metadata
