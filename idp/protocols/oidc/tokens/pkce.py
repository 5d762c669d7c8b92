"""Proof Key for Code Exchange: the verifier of a code (RFC 7636)."""

import base64
import hashlib
import hmac
import re
from typing import Final

from idp.protocols.oidc.memory import Memory

_VERIFIER: Final = re.compile(r"[A-Za-z0-9\-._~]{43,128}", re.ASCII)


def complaint_of_verifier(memory: Memory, verifier: str) -> str:
    """What is wrong with the verifier for the challenge of the request, or an empty text (SEC-20)."""
    if not memory.challenge:
        return "There was no code_challenge for this code_verifier." if verifier else ""
    if not _VERIFIER.fullmatch(verifier):
        return "The code_verifier is missing, or not one of 43 to 128 characters."
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    right = hmac.compare_digest(challenge, memory.challenge.encode())
    return "" if right else "The code_verifier does not fit the code_challenge."
