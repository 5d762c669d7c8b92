"""An identity provider for organisations: who logs in, for whom, at which level, and what the service is told."""
