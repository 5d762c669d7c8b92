"""Tokens as octets: signed, verified, encrypted, and bound to a key."""
