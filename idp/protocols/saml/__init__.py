"""SAML 2.0, spoken to relying parties."""

from idp.protocols.saml.codec import SamlCodec, documents

__all__ = ["SamlCodec", "documents"]
