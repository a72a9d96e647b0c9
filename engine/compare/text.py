"""Tokens that arrive one by one -> text that can be shown at once and never has to be taken back."""

from engine.data.tokens import Tokens


class Text:
    """The text of one answer. `stops`: texts before which it ends.

    A character whose bytes come in several tokens is held back until it is whole, and so is whatever may turn out to be
    the beginning of a stop text. The deltas, put together, equal the text decoded at the end.
    """

    def __init__(self, tokens: Tokens, stops: tuple[str, ...] = ()):
        self._backend = tokens.backend
        self._stops = stops
        self._ids: list[int] = []
        self._sent = ""
        self.stopped = False

    def push(self, token: int) -> str:
        """What can be shown now that `token` has come; `stopped` is set when a stop text is complete."""
        self._ids.append(token)
        whole = self._decoded()
        found = [whole.index(stop) for stop in self._stops if stop in whole]
        if found:
            self.stopped = True
            return self._send(whole[: min(found)])
        return self._send(self._safe(whole.rstrip("\ufffd")))

    def hold(self, token: int) -> None:
        """Take `token` without looking at the text: nobody reads along, and decoding at the end is cheaper."""
        self._ids.append(token)

    def end(self) -> str:
        """What was still held back, when no more tokens come."""
        return "" if self.stopped else self._send(self._decoded())

    def _decoded(self) -> str:
        return self._backend.decode(self._ids, skip_special_tokens=True)

    def _safe(self, text: str) -> str:
        """`text` without an end that a stop text begins with."""
        begun = (
            length
            for stop in self._stops
            for length in range(min(len(stop) - 1, len(text)), 0, -1)
            if text.endswith(stop[:length])
        )
        longest = max(begun, default=0)
        return text[: len(text) - longest]

    def _send(self, text: str) -> str:
        new = text[len(self._sent) :]
        self._sent += new
        return new
