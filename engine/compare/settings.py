"""How an answer is drawn from a model: the settings of generation, declared once for forms, requests and commands."""

from engine.fields import Params, param
from engine.words import Words

# An answer as long as this is cut when nobody said how long it may be and the context would allow more.
DEFAULT_MAX_TOKENS = 512


class GenerationParams(Params):
    """Called as in the OpenAI protocol and in transformers' `GenerationConfig`."""

    temperature: float = param(
        0.7,
        Words("Temperature", "温度"),
        Words(
            "0: always the most likely next token. Higher: more varied, and more mistakes.",
            "0 表示总是选最可能的下一个 token；越高越多样，也越容易出错。",
        ),
        ge=0,
        le=5,
    )
    max_tokens: int | None = param(
        None,
        Words("Longest answer", "最长回答"),
        Words(
            f"Tokens after which an answer is cut. Empty: {DEFAULT_MAX_TOKENS}, or what the model's context leaves.",
            f"回答超过这么多 token 就截断。留空则为 {DEFAULT_MAX_TOKENS}，或模型上下文剩余的长度。",
        ),
        ge=1,
        le=131072,
    )
    top_p: float = param(
        0.9,
        Words("Top-p", "Top-p"),
        Words(
            "Choose among the likeliest tokens that together have this probability. 1: all.",
            "只在累计概率达到该值的最可能 token 中挑选；1 表示全部。",
        ),
        advanced=True,
        gt=0,
        le=1,
    )
    top_k: int = param(
        0,
        Words("Top-k", "Top-k"),
        Words("Choose among this many likeliest tokens. 0: all.", "只在最可能的这么多个 token 中挑选；0 表示全部。"),
        advanced=True,
        ge=0,
    )
    repetition_penalty: float = param(
        1.0,
        Words("Repetition penalty", "重复惩罚"),
        Words(
            "Above 1, tokens already in the conversation become less likely.",
            "大于 1 时，对话中出现过的 token 会更少被选中。",
        ),
        advanced=True,
        gt=0,
        le=10,
    )
    seed: int = param(
        42,
        Words("Seed", "随机种子"),
        Words(
            "The same seed gives the same answer, and the same luck to every model compared.",
            "种子相同，回答就相同；参与对比的各个模型也用同样的随机数。",
        ),
        advanced=True,
        ge=0,
        lt=2**53,
    )
    stop: tuple[str, ...] = param(
        (),
        Words("Stop at", "停止词"),
        Words("The answer ends before any of these texts.", "回答在出现其中任一文字之前结束。"),
        advanced=True,
        max_length=16,
    )
