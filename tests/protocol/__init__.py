"""Protocol codecs against independent implementations and against attackers."""
