"""Long random runs, each a command of its own; their results stand in the documentation."""
