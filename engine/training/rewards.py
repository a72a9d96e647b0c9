"""Where rewards come from: the reward models that runs made, and rules that need none; and when answers degenerate."""

import re
from collections.abc import Callable
from difflib import SequenceMatcher

from engine.errors import NotFound, Unsupported
from engine.runs import store
from engine.runs.store import Run
from engine.training.objective_params import ReinforcementParams
from engine.words import Words

# Runs of this many characters are compared to see whether a text repeats itself.
_PIECE = 4
_KIND = Words("reward model", "奖励模型")
_TRAIN_ONE = Words(
    "Train one first (objective “Reward model”), or choose a rule that gives rewards.",
    "请先训练一个（训练目标选“奖励模型”），或选择一个打分规则。",
)
_NO_REWARD = Words(
    "Nothing gives rewards: name a reward model, or choose a rule.",
    "没有任何奖励来源：请指定奖励模型，或选择打分规则。",
)
_NO_PATTERN = Words("Say which pattern the answers must match.", "请填写回答必须符合的格式。")


def models() -> list[Run]:
    """The runs that ended with a reward model, newest first."""
    return [run for run in store.runs() if is_model(run)]


def is_model(run: Run) -> bool:
    return run.config.get("objective") == "reward" and (run.path / "final").is_dir()


def find(ref: str) -> Run:
    """The reward model called `ref`: a run's id or folder.

    Raises:
        NotFound: there is no such run, or it made none.
    """
    run = store.find(ref)
    if not is_model(run):
        raise NotFound(kind=_KIND, name=ref, hint=_TRAIN_ONE)
    return run


def resolved(params: ReinforcementParams) -> ReinforcementParams:
    """`params` with the folder of the reward model in place of what names it; "none" for none.

    Raises:
        NotFound: there is no such reward model.
        Unsupported: nothing gives rewards.
    """
    wanted = params.reward_model.strip()
    if wanted == "auto" and params.rule == "none":
        found = models()
        if not found:
            raise Unsupported(reason=Words(f"{_NO_REWARD.en} {_TRAIN_ONE.en}", f"{_NO_REWARD.zh}{_TRAIN_ONE.zh}"))
        wanted = str(found[0].path)
    elif wanted in ("auto", "none"):
        wanted = "none"
    else:
        wanted = str(find(wanted).path)
    if wanted == "none" and params.rule == "none":
        raise Unsupported(reason=_NO_REWARD)
    if params.rule == "pattern" and not params.pattern:
        raise Unsupported(reason=_NO_PATTERN)
    return params.model_copy(update={"reward_model": wanted})


def rule(params: ReinforcementParams) -> Callable[[str, str], float] | None:
    """The rule that `params` name, as a function of (answer, reference answer); None for none."""
    return {
        "none": None,
        "contains": lambda answer, reference: float(_plain(reference) in _plain(answer)),
        "equals": lambda answer, reference: float(_plain(reference) == _plain(answer)),
        "similar": lambda answer, reference: SequenceMatcher(None, answer, reference, autojunk=False).ratio(),
        "length": lambda answer, reference: length(answer, params.target_length),
        "pattern": lambda answer, reference: float(re.fullmatch(params.pattern, answer.strip(), re.DOTALL) is not None),
    }[params.rule]


def length(answer: str, target: int) -> float:
    """1 at `target` characters, falling to 0 at none and at twice as many."""
    return max(0.0, 1 - abs(len(answer.strip()) - target) / target)


def repetition(text: str) -> float:
    """The share of a text that only says again what it said before, from 0 to 1."""
    pieces = [text[at : at + _PIECE] for at in range(len(text) - _PIECE + 1)]
    return 1 - len(set(pieces)) / len(pieces) if pieces else 0.0


def _plain(text: str) -> str:
    """Without punctuation, blanks and case."""
    return "".join(character for character in text.lower() if character.isalnum())
