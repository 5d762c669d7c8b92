"""The token endpoint, and what is done with the tokens it gave."""
