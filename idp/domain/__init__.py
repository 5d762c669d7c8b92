"""The rules: pure functions over values, free of clocks, rows, requests and randomness."""
