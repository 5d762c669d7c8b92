"""Kept sessions, and how they end."""
