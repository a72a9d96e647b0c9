"""Models: what is here, and what each is. Without torch: a model is described by its configuration and file headers."""
