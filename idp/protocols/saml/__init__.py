"""SAML 2.0, spoken to relying parties."""

from idp.protocols.saml.codec import SamlCodec, documents
from idp.protocols.saml.soap import is_soap, soap_refusal

__all__ = ["SamlCodec", "documents", "is_soap", "soap_refusal"]
