"""Training: what a run is told (config), what it learns from (objectives), which parameters move (methods), and the
worker process that does it. The interface imports only config, methods, objectives and estimate; the rest needs torch.
"""
