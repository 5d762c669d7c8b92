"""The outbox: what is to be sent to someone."""

from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from idp.store.base import Row, UtcDateTime


class Parcel(Row):
    """Something to send; ``kind`` is ``mail`` or ``letter``, ``status`` is ``queued``, ``sent`` or ``failed``."""

    __tablename__ = "parcel"

    kind: Mapped[str] = mapped_column(String(16))
    recipient: Mapped[str] = mapped_column(String(254))
    template: Mapped[str] = mapped_column(String(40))
    locale: Mapped[str] = mapped_column(String(5))
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    status: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int]
