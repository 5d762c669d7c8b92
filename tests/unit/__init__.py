"""Rules of the domain, shown on values alone; nothing here imports more of idp than idp.domain."""
