"""Rights over all of it: what is personal, what may be exported, what must be erased."""
