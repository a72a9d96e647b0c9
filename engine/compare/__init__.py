"""Talking to models, before and after: one process generates, everything else is its client."""
