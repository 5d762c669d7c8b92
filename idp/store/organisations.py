"""Organisations of the trade register and their branches."""

from datetime import date

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from idp.store.base import Id, Row


class Organisation(Row):
    """An organisation; ``status`` is ``active`` or ``ended``."""

    __tablename__ = "organisation"

    kvk: Mapped[str] = mapped_column(String(8), unique=True)
    rsin: Mapped[str | None] = mapped_column(String(9))
    name: Mapped[str] = mapped_column(String(200))
    legal_form: Mapped[str] = mapped_column(String(40))
    street: Mapped[str] = mapped_column(String(120))
    postcode: Mapped[str] = mapped_column(String(6))
    city: Mapped[str] = mapped_column(String(80))
    status: Mapped[str] = mapped_column(String(16))


class Branch(Row):
    """A branch of an organisation; it is open until ``closed_on``.

    ``subdossier`` is its old number of four digits, for as long as the trade register gives one (SR-6).
    """

    __tablename__ = "branch"

    organisation_id: Mapped[str] = mapped_column(Id, ForeignKey("organisation.id"), index=True)
    number: Mapped[str] = mapped_column(String(12), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    is_main: Mapped[bool]
    closed_on: Mapped[date | None]
    subdossier: Mapped[str | None] = mapped_column(String(4))
