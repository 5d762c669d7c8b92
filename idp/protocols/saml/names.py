"""Names of SAML and of the scheme as they stand on the wire."""

from enum import StrEnum
from typing import Final

from idp.domain import naming

PROTOCOL: Final = "urn:oasis:names:tc:SAML:2.0:protocol"
BEARER: Final = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
NAME_FORMAT_URI: Final = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
ASSURANCE_CERTIFICATION: Final = "urn:oasis:names:tc:SAML:attribute:assurance-certification"
REQUESTED_ATTRIBUTES: Final = "{urn:etoegang:1.9:samlp-extension}RequestedAttributes"


class Binding(StrEnum):
    """How a message travels."""

    POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
    REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
    ARTIFACT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact"
    SOAP = "urn:oasis:names:tc:SAML:2.0:bindings:SOAP"


class NameId(StrEnum):
    """Formats of a NameID."""

    PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
    TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
    UNSPECIFIED = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"


class Fact(StrEnum):
    """Attributes of an assertion (domain 3.4)."""

    SERVICE_ID = "urn:etoegang:core:ServiceID"
    SERVICE_UUID = "urn:etoegang:core:ServiceUUID"
    LEGAL_SUBJECT = "urn:etoegang:core:LegalSubjectID"
    ACTING_SUBJECT = "urn:etoegang:core:ActingSubjectID"
    INTERMEDIATE_SUBJECT = "urn:etoegang:core:IntermediateSubjectID"
    INTERMEDIATE_KVK = "urn:etoegang:1.9:IntermediateEntityID:KvKnr"
    INTERMEDIATE_NAME = "urn:etoegang:1.13:attribute-intermediate:CompanyName"
    COMPANY_NAME = "urn:etoegang:1.11:attribute-represented:CompanyName"
    BRANCH = "urn:etoegang:1.9:ServiceRestriction:Vestigingsnr"
    SUBDOSSIER = "urn:etoegang:1.9:ServiceRestriction:SubdossierNr"


class Identifying(StrEnum):
    """Types of identifier: NameQualifier of an EncryptedID, entry of EntityConcernedTypesAllowed (domain 4.2)."""

    KVK = naming.KVK
    RSIN = naming.RSIN
    PSEUDONYM = "urn:etoegang:1.13:EntityConcernedID:Pseudo"


def is_identifying(name: str) -> bool:
    """Whether an attribute identifies somebody, so that it follows from the catalogue and is never asked (RA-4)."""
    return ":EntityConcernedID:" in name


class Declared(StrEnum):
    """What the authenticator and the mandate registry tell each other, seen inside Advice alone (domain 3.9, 3.10)."""

    REPRESENTATION = "urn:etoegang:core:Representation"
    REGISTRY = "urn:etoegang:core:AuthorizationRegistryID"
    ACTING_ENTITY = "urn:etoegang:core:ActingEntityID"
    LINKED_SIGNATURE = "urn:etoegang:core:LinkedDeclarationSignatureValue"
    LEVEL_ASKED = "urn:etoegang:core:LevelOfAssurance"
    LEVEL_USED = "urn:etoegang:core:LevelOfAssuranceUsed"
    ACTION = "urn:oasis:names:tc:xacml:1.0:action:action-id"
