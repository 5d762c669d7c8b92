"""From an outcome to a signed Response on its way."""
