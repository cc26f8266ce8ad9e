"""Practice management systems: one shape for all, one folder for each."""
