"""Pages on which people look after their own login."""
