"""The connected system that these tests read."""

from tests.systems import connect, connection, mails, optix, read

__all__ = ["connect", "connection", "mails", "optix", "read"]
