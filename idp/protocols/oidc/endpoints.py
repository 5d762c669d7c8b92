"""The addresses of the OpenID Provider (contract)."""

from enum import StrEnum
from typing import Final

from idp.services.work import Office

# Where a person types the code of a device.
DEVICE_PAGE: Final = "/apparaat"
DEVICE_READY: Final = "/apparaat/klaar"
DEVICE_REFUSED: Final = "/apparaat/niet-ingelogd"


class Endpoint(StrEnum):
    """Paths below the issuer."""

    DISCOVERY = "/.well-known/openid-configuration"
    SERVER_METADATA = "/.well-known/oauth-authorization-server"
    JWKS = "/oidc/jwks"
    AUTHORIZE = "/oidc/authorize"
    PUSHED = "/oidc/par"
    TOKEN = "/oidc/token"
    USERINFO = "/oidc/userinfo"
    INTROSPECTION = "/oidc/introspect"
    REVOCATION = "/oidc/revoke"
    DEVICE = "/oidc/device"
    REGISTRATION = "/oidc/register"
    LOGOUT = "/oidc/logout"
    SESSION_FRAME = "/oidc/session"
    CLAIMS_SCHEMA = "/oidc/schemas/claims-1.json"


def issuer(office: Office) -> str:
    """Who we are: the base URL."""
    return office.settings.server.base_url


def address(office: Office, endpoint: Endpoint) -> str:
    """The full address of an endpoint."""
    return issuer(office) + endpoint
