"""Text messages, WhatsApp and email: the words, what comes back, and reminders."""
