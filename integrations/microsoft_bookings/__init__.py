"""Microsoft Bookings over Graph: an organisation's administrator consents, we read and write the
appointments of one of its Bookings calendars.
"""
