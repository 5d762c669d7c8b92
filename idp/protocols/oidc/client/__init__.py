"""Relying parties as OIDC clients: registered, described and proving themselves."""
