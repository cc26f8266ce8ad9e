"""Our appointments in the systems that the practice has connected: a calendar, a PMS.

A row for each appointment and system says what should stand there and what does. It is planned in
the transaction of the booking and written afterwards, by itself: neither the booking nor the
patient's confirmation ever waits for another system.
"""
