"""What both language trees share of the engine: the background thread that runs jobs, the client that asks models, and the
presentation that goes on."""

import threading
from contextlib import suppress
from dataclasses import dataclass, field

from engine.compare.chat import Chat
from engine.errors import ServerDied
from engine.runs import status, store
from engine.runs.background import Jobs
from ui.presenter import Presenter

# Seconds.
_PAGE_FIRST = 0.5
# The steps after which a run is likely.
BEFORE_TRAINING = ("model", "data", "train")


@dataclass(frozen=True)
class Services:
    jobs: Jobs
    chat: Chat
    presenter: Presenter = field(default_factory=Presenter)

    def warm_up(self) -> None:
        """Start the generation process ahead of the first question, unless a training run needs the machine."""
        if not any(run.status()["state"] in status.ACTIVE for run in store.runs()):
            threading.Thread(target=self._start_chat, daemon=True).start()

    def expect_training(self) -> None:
        """Have a worker waiting for a run that is likely to be started soon; a moment later, so that the page comes first."""
        timer = threading.Timer(_PAGE_FIRST, self.jobs.expect_training)
        timer.daemon = True
        timer.start()

    def _start_chat(self) -> None:
        # The first question says why, if it does not start.
        with suppress(ServerDied):
            self.chat.start()
