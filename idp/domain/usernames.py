"""The one form of a username, at creation and at look-up (SEC-6)."""

import re
import unicodedata

LONGEST_USERNAME = 64
_ALLOWED = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}", re.ASCII)


def canonical(username: str) -> str | None:
    """The canonical form, or None when no account can have such a name."""
    if len(username) > LONGEST_USERNAME:
        return None
    text = unicodedata.normalize("NFKC", username).strip().casefold()
    return text if _ALLOWED.fullmatch(text) else None
