"""The one form of an e-mail address, when it is kept and when it is looked up (SEC-6, SEC-7)."""

import re

LONGEST_EMAIL = 254
_ADDRESS = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?=.{1,253}$)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+", re.ASCII)


def canonical(address: str) -> str | None:
    """Lower case without the spaces around it; None for what no mail of ours can be sent to."""
    text = address.strip().casefold()
    return text if len(text) <= LONGEST_EMAIL and _ADDRESS.fullmatch(text) else None
