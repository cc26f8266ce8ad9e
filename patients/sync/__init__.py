"""Reading a practice management system: planned each night, read page by page, resumable.

The floor above hands in what it does with appointments; this one knows patients only.
"""
