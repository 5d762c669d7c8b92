"""What OIDC clients hold after a login: codes, tokens and devices."""
