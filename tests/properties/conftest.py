"""How Hypothesis runs here: time is never a verdict, and a failure prints what repeats it."""

from hypothesis import settings

settings.register_profile("properties", deadline=None, print_blob=True)
settings.load_profile("properties")
