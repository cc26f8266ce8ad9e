"""The sandbox: loopback servers that speak the providers' own HTTP and SMTP, with patients.

It holds everything in memory and never touches the database. The product does not know it.
"""
