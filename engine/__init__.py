"""TuneDesk's engine: models, data, runs, training and comparison. It knows nothing of Gradio.

Importing it, or any of its modules, loads no torch: heavy imports happen inside the functions that need them, so
that the interface starts in seconds and the command line answers at once.
"""
