"""Benchmarks: each a ratio against a limit or against a peer measured in the same run.

They build their own scratch databases and never look at any other.
"""
