"""Messages by artifact: ours fetched by relying parties, and theirs by us."""
