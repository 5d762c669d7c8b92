"""A login as it is kept, and what the decision makes of it: the database behind ``idp.domain.decision``."""
