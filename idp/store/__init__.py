"""Rows: what is stored and how it becomes values again; no rules."""
