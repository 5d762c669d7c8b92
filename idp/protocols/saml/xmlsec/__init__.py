"""XML itself: parsed under limits, signed, verified, encrypted and decrypted."""
