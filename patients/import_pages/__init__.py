"""The pages on which staff bring in an export: upload, match, fix, check, watch, and undo.

They show and ask. What a file means, what is written and what undoes it belongs to `csv_import`.
"""
