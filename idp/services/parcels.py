"""The outbox: putting something in, in the transaction that causes it."""

import json
from dataclasses import dataclass

from sqlalchemy import insert

from idp.services.work import Work
from idp.store.parcels import Parcel


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is sent to whom: ``kind`` is ``mail`` or ``letter``, ``template`` names the text."""

    kind: str
    recipient: str
    template: str
    locale: str


def post(work: Work, envelope: Envelope, facts: dict[str, str]) -> None:
    """Queue a parcel; its facts are sealed until it is sent (SEC-37)."""
    work.connection.execute(
        insert(Parcel).values(
            id=work.new_id(),
            created_at=work.now,
            kind=envelope.kind,
            recipient=envelope.recipient,
            template=envelope.template,
            locale=envelope.locale,
            payload=work.office.vault.seal(json.dumps(facts, sort_keys=True).encode(), "parcel"),
            due_at=work.now,
            status="queued",
            attempts=0,
        )
    )
