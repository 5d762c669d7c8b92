"""From the parameters of the authorization endpoint to what a client asks, and where it is answered."""
