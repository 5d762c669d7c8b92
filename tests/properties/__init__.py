"""Rules of the domain that hold for whatever Hypothesis can think of."""
