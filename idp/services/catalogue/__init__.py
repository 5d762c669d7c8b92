"""The services that people log in to, and what a change of their rules means."""
