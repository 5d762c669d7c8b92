"""OpenID Connect, spoken to relying parties."""

from collections.abc import Callable
from datetime import datetime

from idp.protocols.message import Document, HttpMessage
from idp.protocols.oidc.codec import OidcCodec
from idp.protocols.oidc.discovery import documents
from idp.protocols.oidc.tokens import token
from idp.protocols.oidc.userinfo import userinfo
from idp.services.work import Office

BackChannel = Callable[[Office, HttpMessage, datetime], Document]
__all__ = ["OidcCodec", "back_channel", "documents", "token", "userinfo"]


def back_channel() -> dict[str, BackChannel]:
    """The endpoints that clients call themselves, by the last part of their path below ``/oidc/``."""
    return {"token": token, "userinfo": userinfo}
