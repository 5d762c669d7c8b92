"""Persons, their accounts and their responders."""

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.store.base import Id, Row, UtcDateTime


class Person(Row):
    """A natural person; survives upgrades, replacements and conversions (RUL-9)."""

    __tablename__ = "person"

    initials: Mapped[str] = mapped_column(String(20))
    first_name: Mapped[str] = mapped_column(String(100))
    infix: Mapped[str] = mapped_column(String(20))
    family_name: Mapped[str] = mapped_column(String(100))
    birth_date: Mapped[date | None]
    email: Mapped[str] = mapped_column(String(254), index=True)


class Account(Row):
    """A login name; ``status`` is ``active`` or ``closed``; ``blocked_at`` is set by wrong codes (O-6)."""

    __tablename__ = "account"

    person_id: Mapped[str] = mapped_column(Id, ForeignKey("person.id"), index=True)
    username: Mapped[str] = mapped_column(String(64), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    password_set_at: Mapped[datetime] = mapped_column(UtcDateTime)
    status: Mapped[str] = mapped_column(String(16))
    locale: Mapped[str] = mapped_column(String(5))
    wrong_codes: Mapped[int]
    blocked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Responder(Row):
    """A personal OTP device; ``status`` is ``stock``, ``assigned``, ``lost`` or ``retired``; the secret is sealed.

    ``account_id`` is its one holder ever, set from the first assignment on; ``mark`` is the digest of the secret, so
    that no secret comes in twice; ``kind`` is ``device``, or ``app`` for an authenticator app.
    """

    __tablename__ = "responder"

    serial: Mapped[str] = mapped_column(String(40), unique=True)
    algorithm: Mapped[str] = mapped_column(String(8))
    digits: Mapped[int]
    period: Mapped[int]
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    last_step: Mapped[int]
    drift: Mapped[int]
    status: Mapped[str] = mapped_column(String(16))
    account_id: Mapped[str | None] = mapped_column(Id, ForeignKey("account.id"), index=True)
    mark: Mapped[str | None] = mapped_column(String(64), index=True, unique=True)
    kind: Mapped[str] = mapped_column(String(8), server_default="device")
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Passkey(Row):
    """A security key or passkey of an account (WebAuthn); ``status`` is ``active`` or ``removed``.

    ``credential`` is its id in base64url; ``public_key`` is a COSE key; ``sign_count`` only grows.
    """

    __tablename__ = "passkey"

    account_id: Mapped[str] = mapped_column(Id, ForeignKey("account.id"), index=True)
    credential: Mapped[str] = mapped_column(String(1400), unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    label: Mapped[str] = mapped_column(String(60))
    status: Mapped[str] = mapped_column(String(16))
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RecoveryCode(Row):
    """A code that stands in once for a lost responder; only its keyed digest is kept (SEC-31)."""

    __tablename__ = "recovery_code"

    account_id: Mapped[str] = mapped_column(Id, ForeignKey("account.id"), index=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class AccountReset(Row):
    """A wish to begin anew without responder or recovery code; ``status`` is ``waiting``, ``cancelled`` or ``done``.

    Until ``due_at`` anybody who was told may object.
    """

    __tablename__ = "account_reset"
    # One at a time; on both databases the index holds only those that wait.
    __table_args__ = (
        Index(
            "ix_account_reset_waiting",
            "account_id",
            unique=True,
            sqlite_where=text("status = 'waiting'"),
            postgresql_where=text("status = 'waiting'"),
        ),
    )

    account_id: Mapped[str] = mapped_column(Id, ForeignKey("account.id"))
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    status: Mapped[str] = mapped_column(String(16))


class CertificateRow(Row):
    """A personal certificate bound to an account (domain 8.12); ``status`` is ``active`` or ``replaced``.

    ``issuer`` and ``subject`` are names as RFC 4514 writes them; ``mark`` is the digest of issuer and serial number.
    """

    __tablename__ = "certificate"

    account_id: Mapped[str] = mapped_column(Id, ForeignKey("account.id"), index=True)
    mark: Mapped[str] = mapped_column(String(64), unique=True)
    issuer: Mapped[str] = mapped_column(String(1000))
    serial: Mapped[str] = mapped_column(String(64))
    subject_serial: Mapped[str] = mapped_column(String(200))
    subject: Mapped[str] = mapped_column(String(1000))
    not_after: Mapped[datetime] = mapped_column(UtcDateTime)
    status: Mapped[str] = mapped_column(String(16))
