"""Outbound webhooks: what happened to a practice's patients, told to the systems it names.

Events come from the sealed journal, so that none is lost and none comes twice; deliveries are
tried until they are taken and always carry the same event id.
"""
