"""The scheme's service catalogue in XML."""
