"""Writing the Response and sending it by the binding of the place it goes to (RC-1)."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Final

from idp.protocols.message import Answer, PostForm
from idp.protocols.saml.names import Binding
from idp.protocols.saml.reply import Reply
from idp.protocols.saml.signing import sign_canonical
from idp.protocols.saml.status import SUCCESS, Status
from idp.protocols.saml.times import write_instant
from idp.protocols.saml.voice import Voice
from idp.protocols.saml.xml import SAML, SAMLP, escape_attribute, escape_text

_SUCCESS: Final = f'<samlp:Status><samlp:StatusCode Value="{SUCCESS}"></samlp:StatusCode></samlp:Status>'


def success(reply: Reply, assertion: bytes, voice: Voice) -> Answer:
    """The signed Response with a (signed, perhaps encrypted) assertion in it."""
    return _send(reply, _response(reply, _SUCCESS.encode() + assertion, voice))


def failure(reply: Reply, status: Status, voice: Voice) -> Answer:
    """The signed Response that tells why there is no assertion (domain 3.6)."""
    second = f'<samlp:StatusCode Value="{status.second}"></samlp:StatusCode>' if status.second is not None else ""
    text = (
        f'<samlp:Status><samlp:StatusCode Value="{status.top}">{second}</samlp:StatusCode>'
        f"<samlp:StatusMessage>{escape_text(status.message)}</samlp:StatusMessage></samlp:Status>"
    )
    return _send(reply, _response(reply, text.encode(), voice))


def _response(reply: Reply, body: bytes, voice: Voice) -> bytes:
    head = (
        f'<samlp:Response xmlns:samlp="{SAMLP}" Destination="{escape_attribute(reply.location)}" ID="{voice.new_id()}" '
        f'InResponseTo="{escape_attribute(reply.request)}" IssueInstant="{write_instant(voice.now)}" Version="2.0">'
        f'<saml:Issuer xmlns:saml="{SAML}">{escape_text(voice.names.issuer)}</saml:Issuer>'
    )
    return sign_canonical(head.encode(), body + b"</samlp:Response>", voice.signatory)


def _send(reply: Reply, response: bytes) -> Answer:
    return _SENDERS[reply.binding](reply, response)


def _post(reply: Reply, response: bytes) -> Answer:
    fields = {"SAMLResponse": b64encode(response).decode()}
    if reply.relay_state is not None:
        fields["RelayState"] = reply.relay_state
    return PostForm(reply.location, fields)


# One entry per binding of ``sp_metadata.ANSWERABLE``.
_SENDERS: Final[Mapping[Binding, Callable[[Reply, bytes], Answer]]] = {Binding.POST: _post}
