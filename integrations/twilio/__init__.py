"""Twilio: voice, SMS and WhatsApp. Provider words stay in this folder."""
