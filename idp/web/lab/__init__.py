"""The pages and the interface of the laboratory."""
