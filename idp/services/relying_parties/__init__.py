"""Those that ask for logins: their settings, keys and registrations."""
