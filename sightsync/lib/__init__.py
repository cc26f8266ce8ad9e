"""Machinery that knows nothing of opticians: time, ids, errors, encryption, jobs, logs."""
