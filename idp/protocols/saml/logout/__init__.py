"""Single logout: obeyed, answered, and told to the other parties of a session."""
