"""Settings, Calendar & PMS: the pages on which a practice connects the system that keeps its
patients.
"""
