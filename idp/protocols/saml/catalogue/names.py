"""Names of the scheme's service catalogue, and its schema, which we wrote from the reference (RUL-41, domain 5.2)."""

from importlib.resources import files
from typing import Final

from idp.protocols.saml.xmlsec.xml import SAML, Limits, Schemas
from idp.services.catalogue.file import LARGEST

ESC: Final = "urn:etoegang:1.13:service-catalog"
OLDER: Final = "urn:etoegang:1.11:service-catalog"
NAMESPACES: Final = (ESC, OLDER)
BRANCH_RESTRICTION: Final = "urn:etoegang:1.9:ServiceRestriction:Vestigingsnr"
LEVEL: Final = f"{{{SAML}}}AuthnContextClassRef"
LIMITS: Final = Limits(octets=LARGEST, nodes=1_000_000, comments=True)
EIDAS: Final = "eIDAS-inbound"

_SCHEMA: Final = "service-catalogue-1.13.xsd"


def catalogue_schema(namespace: str = ESC) -> Schemas:
    """The compiled schema; the older namespace has the same elements, of which it never had the newest."""
    text = (files("idp.protocols.saml") / "schemas" / _SCHEMA).read_bytes()
    return Schemas.of(text.replace(ESC.encode(), namespace.encode()))
