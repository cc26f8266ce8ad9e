"""Settings: what the owner of a practice arranges by hand."""
