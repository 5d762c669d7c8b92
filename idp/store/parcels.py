"""The outbox: what is to be sent to someone."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from idp.store.base import Row, UtcDateTime


class Parcel(Row):
    """Something to send; ``kind`` is ``mail``, ``letter`` or ``backchannel``.

    ``status`` is ``queued``, ``sent``, ``failed`` (given up) or ``discarded`` (nobody to send it to). While somebody
    sends it, it is queued with ``due_at`` ahead and ``attempts`` grown.
    """

    __tablename__ = "parcel"
    __table_args__ = (Index("ix_parcel_status_due_at", "status", "due_at"),)

    kind: Mapped[str] = mapped_column(String(16))
    recipient: Mapped[str] = mapped_column(String(254))
    template: Mapped[str] = mapped_column(String(40))
    locale: Mapped[str] = mapped_column(String(5))
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    status: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int]
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
