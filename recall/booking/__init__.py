"""Diaries, slots and appointments: who may come when, and the booking itself."""
