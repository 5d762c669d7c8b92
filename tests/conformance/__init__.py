"""Independent relying parties log in against a running sandbox."""
