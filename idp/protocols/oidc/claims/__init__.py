"""Every claim that can be made, and its published description."""
