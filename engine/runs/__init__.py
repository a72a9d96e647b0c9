"""The life of a job: its directory, its events, the queue, and the process that supervises its worker.

Knows nothing of training: a worker is started by its module name, and all that is learnt of it is read from a directory.
"""
