"""Devices without a browser of their own that wait for a person (RFC 8628)."""

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from idp.store.base import Id, Row, UtcDateTime


class DeviceRow(Row):
    """A device that waits for a person to log in for it (RFC 8628); ``request`` is JSON.

    Its device code becomes the code of the grant once the person agreed; ``next_poll_at`` and ``interval`` (seconds)
    hold it to a pace; ``ended`` is empty until the person agreed or refused.
    """

    __tablename__ = "oidc_device"

    party_id: Mapped[str] = mapped_column(Id)
    device_digest: Mapped[str] = mapped_column(String(64), unique=True)
    user_digest: Mapped[str] = mapped_column(String(64), unique=True)
    request: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    next_poll_at: Mapped[datetime] = mapped_column(UtcDateTime)
    interval: Mapped[int]
    ended: Mapped[str] = mapped_column(String(8))
