"""The laboratory: an invented world, demo portals and bulk data, for people who connect a relying party."""
