"""OpenID Connect, spoken to relying parties."""

from collections.abc import Callable
from datetime import datetime

from idp.protocols.message import Document, HttpMessage
from idp.protocols.oidc.client.registrar import Registrar
from idp.protocols.oidc.codec import OidcCodec
from idp.protocols.oidc.discovery import documents
from idp.protocols.oidc.request.device import device_authorization
from idp.protocols.oidc.request.pushed import pushed
from idp.protocols.oidc.tokens.endpoint import token
from idp.protocols.oidc.tokens.introspection import introspect
from idp.protocols.oidc.tokens.revocation import revocation
from idp.protocols.oidc.tokens.userinfo import userinfo
from idp.services.work import Office

BackChannel = Callable[[Office, HttpMessage, datetime], Document]
__all__ = [
    "OidcCodec",
    "Registrar",
    "back_channel",
    "device_authorization",
    "documents",
    "introspect",
    "pushed",
    "revocation",
    "token",
    "userinfo",
]


def back_channel(registrar: Registrar | None = None) -> dict[str, BackChannel]:
    """The endpoints that clients call themselves, by their path below ``/oidc/``; a registrar adds its own."""
    served: dict[str, BackChannel] = {
        "par": pushed,
        "token": token,
        "userinfo": userinfo,
        "introspect": introspect,
        "revoke": revocation,
        "device": device_authorization,
    }
    if registrar is None:
        return served
    return served | {"register": registrar.register, "register/<client>": registrar.manage}
