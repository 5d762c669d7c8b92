"""Numbers that tell every process that what it keeps is out of date."""

from sqlalchemy import Connection, String, update
from sqlalchemy.orm import Mapped, mapped_column

from idp.store.base import Base

DIRECTORY = "directory"
KEYS = "keys"


class Version(Base):
    """How often something shared has changed."""

    __tablename__ = "version"

    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    number: Mapped[int]


def bump(connection: Connection, name: str) -> None:
    """Tell every process to read again."""
    connection.execute(update(Version).where(Version.name == name).values(number=Version.number + 1))
