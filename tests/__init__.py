"""What is claimed about idp, and shown by running it."""
