"""The recall call: what is said, what is understood, and the endpoints the carrier asks."""
