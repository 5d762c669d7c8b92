"""Codecs between the wire and the domain: message to LoginRequest, outcome to message."""
