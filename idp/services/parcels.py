"""The outbox: putting something in, in the transaction that causes it."""

import json

from sqlalchemy import insert

from idp.services.work import Work
from idp.store.parcels import Parcel


def post(work: Work, kind: str, recipient: str, template: str, locale: str, facts: dict[str, str]) -> None:
    """Queue a ``mail`` or ``letter``; its facts are sealed until it is sent (SEC-37)."""
    work.connection.execute(
        insert(Parcel).values(
            id=work.new_id(),
            created_at=work.now,
            kind=kind,
            recipient=recipient,
            template=template,
            locale=locale,
            payload=work.office.vault.seal(json.dumps(facts, sort_keys=True).encode(), "parcel"),
            due_at=work.now,
            status="queued",
            attempts=0,
        )
    )
