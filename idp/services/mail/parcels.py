"""The outbox: putting something in, in the transaction that causes it."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from idp.services.work import Work
from idp.store.merge import add
from idp.store.parcels import Parcel

SEAL = "parcel"
_ADD = add(Parcel)

Facts = dict[str, str]


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is sent to whom: ``kind`` is ``mail`` or ``letter``, ``template`` names the text below templates/mail.

    A mail without a recipient gets one from the worker, by ``idp.services.mail.addressing``, or is discarded.
    """

    kind: str
    recipient: str
    template: str
    locale: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A mail that is ours to send until its lease ends; ``tries`` counts this one, ``since`` is when it was queued."""

    id: str
    tries: int
    since: datetime
    recipient: str
    template: str
    locale: str
    facts: Facts


def post(work: Work, envelope: Envelope, facts: Facts, after: timedelta = timedelta(0)) -> None:
    """Queue a parcel to be sent ``after`` so long; its facts are sealed, and emptied once it is sent (SEC-37)."""
    _ADD.run(
        work.connection,
        id=work.new_id(),
        created_at=work.now,
        kind=envelope.kind,
        recipient=envelope.recipient,
        template=envelope.template,
        locale=envelope.locale,
        payload=work.office.vault.seal(json.dumps(facts, sort_keys=True).encode(), SEAL),
        due_at=work.now + after,
        status="queued",
        attempts=0,
        sent_at=None,
    )
