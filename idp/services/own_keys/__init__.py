"""Our own keys: their lives, and who still uses old ones."""
