"""From what a browser brings to a verified AuthnRequest, in the words of no protocol."""
