"""What both language trees share of the engine: the background thread that runs jobs, and the client that asks models."""

from dataclasses import dataclass

from engine.compare.chat import Chat
from engine.runs.jobs import Jobs


@dataclass(frozen=True)
class Services:
    jobs: Jobs
    chat: Chat
