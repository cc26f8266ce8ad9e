"""The demo practice: made-up patients with a past, so that every page has something to show.

Only for the sandbox. Patients are written through the same doors as real ones; of their past, the
calls and messages are rows, because nobody was rung.
"""
