"""What people settle about their own login, and get back when it is lost."""
