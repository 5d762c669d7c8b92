"""Instants as SAML writes them."""

from datetime import UTC, datetime

from idp.protocols.saml.xmlsec.refusal import Fault, Refused


def read_instant(text: str) -> datetime:
    """An xs:dateTime as an instant in UTC, no zone meaning UTC; ``Refused(MALFORMED)`` otherwise (domain 6.5)."""
    try:
        instant = datetime.fromisoformat(text.strip())
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Refused(Fault.MALFORMED, f"the instant {text[:64]!r}") from error


def write_instant(instant: datetime) -> str:
    """An instant in UTC to the second, with ``Z``."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
