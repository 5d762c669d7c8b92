"""Who is at the browser, proven step by step until a login has its outcome."""
