"""Writes everything that the demo ships: text to pre-train on, tokenizer, model, and the medical spreadsheet.

`python -m assets.build` does it all. The generators know nothing of training; one seed gives the same bytes every time.
"""
