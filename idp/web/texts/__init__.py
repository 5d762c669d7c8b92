"""What people are told, in Dutch; the translations have the English."""
