"""Faults planted in the rules one at a time, to see whether the unit tests notice."""
