"""The app's queue without an interface, with the real worker. Started as a process."""

import threading

from engine.runs.jobs import Jobs

if __name__ == "__main__":
    Jobs().start()
    print("ready", flush=True)
    threading.Event().wait()
