"""Responders, security keys and recovery codes: had, used, lost and replaced."""
