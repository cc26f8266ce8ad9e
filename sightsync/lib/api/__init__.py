"""What every endpoint of the public API is made of: errors, paging, fields, bodies, JSON.

No models and no domain words; who may ask is `practices.api_access`'s.
"""
