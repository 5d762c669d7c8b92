"""The benchmark: an independent driver that measures what a login costs the server's process tree in CPU time."""
