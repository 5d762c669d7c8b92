"""The pages of a login and of a logout."""
