"""Whole stories over real HTTP against a real sandbox."""
