"""What a client's page later shows to our frame to hear whether the session changed (Session Management 1.0)."""

import hashlib

from idp.protocols.oidc.client.addresses import origin_of
from idp.services.sessions.kept import state_of
from idp.services.work import Office


def session_state(office: Office, client_id: str, redirect_uri: str, session: str | None) -> dict[str, str]:
    """The parameter of a granted answer, bound to client and origin; empty where session management is off."""
    if not office.settings.oidc.session_frame:
        return {}
    salt = office.entropy.bytes(16).hex()
    told = f"{client_id} {origin_of(redirect_uri)} {state_of(office, session)} {salt}"
    return {"session_state": f"{hashlib.sha256(told.encode()).hexdigest()}.{salt}"}
