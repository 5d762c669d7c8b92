"""Who we are and who relying parties are, as SAML metadata say it."""
