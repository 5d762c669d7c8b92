"""The outside world, one thing per file."""
