"""Writing the Response: signed, and the same octets whichever way it travels (RC-1)."""

from typing import Final

from idp.protocols.saml.reply import Reply
from idp.protocols.saml.status import SUCCESS, Status
from idp.protocols.saml.times import write_instant
from idp.protocols.saml.voice import Voice
from idp.protocols.saml.xmlsec.signing import sign_canonical
from idp.protocols.saml.xmlsec.xml import SAML, SAMLP, escape_attribute, escape_text

WELL: Final = f'<samlp:Status><samlp:StatusCode Value="{SUCCESS}"></samlp:StatusCode></samlp:Status>'


def success(reply: Reply, assertion: bytes, voice: Voice) -> bytes:
    """The signed Response with a (signed, perhaps encrypted) assertion in it."""
    return _response(reply, WELL.encode() + assertion, voice)


def failure(reply: Reply, status: Status, voice: Voice) -> bytes:
    """The signed Response that tells why there is no assertion (domain 3.6)."""
    return _response(reply, write_status(status).encode(), voice)


def write_status(status: Status) -> str:
    """A status other than success, as it stands in any answer."""
    second = f'<samlp:StatusCode Value="{status.second}"></samlp:StatusCode>' if status.second is not None else ""
    return (
        f'<samlp:Status><samlp:StatusCode Value="{status.top}">{second}</samlp:StatusCode>'
        f"<samlp:StatusMessage>{escape_text(status.message)}</samlp:StatusMessage></samlp:Status>"
    )


def _response(reply: Reply, body: bytes, voice: Voice) -> bytes:
    head = (
        f'<samlp:Response xmlns:samlp="{SAMLP}" Destination="{escape_attribute(reply.location)}" ID="{voice.new_id()}" '
        f'InResponseTo="{escape_attribute(reply.request)}" IssueInstant="{write_instant(voice.now)}" Version="2.0">'
        f'<saml:Issuer xmlns:saml="{SAML}">{escape_text(voice.names.issuer)}</saml:Issuer>'
    )
    return sign_canonical(head.encode(), body + b"</samlp:Response>", voice.signatory)
