"""Staff pages of the recall: load, permission, one change, redirect."""
