"""Patients from a practice's own export, from bytes to records, in four steps that each know one
thing: ``reader`` (bytes to cells), ``columns`` (which cell is what), ``check`` (cells to clean
details or reasons), ``apply`` (details to records). The command and the browser importer use the
same four.
"""
