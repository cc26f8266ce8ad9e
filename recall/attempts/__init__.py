"""From a planned attempt to what came of it, with every effect happening once.

The queue only wakes these modules; the Attempt row gives permission. Each step is a conditional
UPDATE of that row, committed before the next begins.
"""
