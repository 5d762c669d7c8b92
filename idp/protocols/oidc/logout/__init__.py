"""Logout by a client, and telling other clients of it."""
