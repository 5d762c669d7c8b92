"""Instants that a token of somebody else states, and how far clocks may differ."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

# Clocks differ a little; what lies further ahead was not made now (FAPI 2.0 section 5.3.2.1 asks 10 seconds or more).
SKEW: Final = timedelta(seconds=10)


def instant(claims: Mapping[str, Any], name: str) -> datetime | None:
    """The instant a claim states in seconds, or None when it is missing or none."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def not_ahead(claims: Mapping[str, Any], name: str, now: datetime) -> bool:
    """Whether a claim is absent, or states an instant that has come."""
    if name not in claims:
        return True
    moment = instant(claims, name)
    return moment is not None and moment <= now + SKEW
