"""How a LogoutRequest or its answer reaches a party by way of the browser."""

from base64 import b64encode
from typing import Final

from idp.protocols.message import Answer, PostForm, Redirect
from idp.protocols.saml.metadata.sp_metadata import LogoutService, SpMetadata
from idp.protocols.saml.names import Binding
from idp.protocols.saml.request.redirect import RedirectMessage, write_redirect
from idp.protocols.saml.voice import Voice

FRONT: Final = (Binding.REDIRECT, Binding.POST)


def answer_place(metadata: SpMetadata, came_by: Binding) -> LogoutService | None:
    """Where to answer: the service with the binding by which the request came, else another that a browser takes."""
    order = (came_by, *(one for one in FRONT if one is not came_by)) if came_by in FRONT else FRONT
    return next((one for binding in order for one in metadata.logouts if one.binding == binding), None)


def carry(message: RedirectMessage, binding: str, location: str, voice: Voice) -> Answer:
    """A message on its way: in the address, signed there, or in a form, signed in itself."""
    if binding == Binding.REDIRECT:
        return Redirect(f"{location}{'&' if '?' in location else '?'}{write_redirect(message, voice.signatory)}")
    fields = {message.parameter.value: b64encode(message.octets).decode()}
    return PostForm(location, fields | ({} if message.relay_state is None else {"RelayState": message.relay_state}))
