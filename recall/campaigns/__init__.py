"""Campaigns: who is chosen, what would happen, and running it."""
