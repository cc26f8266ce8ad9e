"""Dedicated numbers: choosing, papers, buying, using, giving back."""
