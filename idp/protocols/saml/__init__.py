"""SAML 2.0, spoken to relying parties."""
