"""Every table, so that one import knows the whole schema."""

from idp.store import (
    catalogue,
    grants,
    ledger,
    logins,
    mandates,
    means,
    organisations,
    parcels,
    people,
    tickets,
    versions,
)
from idp.store.base import Base

MODULES = (
    catalogue,
    grants,
    ledger,
    logins,
    mandates,
    means,
    organisations,
    parcels,
    people,
    tickets,
    versions,
)
METADATA = Base.metadata
