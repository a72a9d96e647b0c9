"""How a model is changed: one entry a method. What it learns from is the objective's business (`objectives.py`).

Forms, the command line, the documents and the tests derive from `METHODS`: a new method is one new entry. `prepare`
gets the loaded base and returns the model to train; it runs in the worker, so torch and PEFT are imported inside.
"""

from engine.errors import NotFound
from engine.training import adapters, counts, marks
from engine.training import method_params as parameters
from engine.training.method import Clash, MethodSpec, State
from engine.words import Words

_FROZEN_FOR_EVER = Words(
    "the weights of this model are packed in a few bits and cannot be changed; take LoRA, or the model as it was before packing",
    "该模型的权重已被压缩成几位，无法改动；请改用 LoRA，或使用压缩前的模型",
)

METHODS = (
    MethodSpec(
        key="lora",
        label=Words("LoRA", "LoRA"),
        summary=Words(
            "Two small matrices learn beside each layer while the model itself stays as it is: little memory, a small "
            "file, and nearly the quality of full fine-tuning. The usual choice.",
            "模型本身保持不变，只在每一层旁边训练两个小矩阵：占内存少，文件小，效果接近全量微调。最常用的选择。",
        ),
        params=parameters.LoraParams,
        prepare=adapters.lora,
        count=counts.lora,
        marks=marks.low_rank,
        learning_rate=5e-4,
        diagram="lora.svg",
        rate_factor=adapters.loraplus,
        needs_format=lambda params: params.pissa,
    ),
    MethodSpec(
        key="qlora",
        label=Words("QLoRA", "QLoRA"),
        summary=Words(
            "LoRA on a base squeezed to 4 bits a weight: a quarter of the memory for the model, at some cost in speed. "
            "For models that would not fit otherwise.",
            "先把底座模型压缩到每个权重 4 位，再做 LoRA：模型占用的内存只有四分之一，速度略慢。适合原本放不下的大模型。",
        ),
        params=parameters.QloraParams,
        prepare=adapters.qlora,
        count=counts.qlora,
        marks=marks.low_rank,
        learning_rate=5e-4,
        diagram="qlora.svg",
        rate_factor=adapters.loraplus,
        quantisation=adapters.four_bit,
        not_on_packed=Words(
            "the weights of this model are packed in a few bits already; take LoRA, which then does the same",
            "该模型的权重本来就已压缩成几位；请改用 LoRA，效果相同",
        ),
        not_in_parts=Words(
            "weights of 4 bits stay whole on each device; take LoRA, or let each device keep the whole model",
            "4 位权重只能在每个设备上完整存放；请改用 LoRA，或让每个设备存放完整模型",
        ),
        paged_optimizer=True,
    ),
    MethodSpec(
        key="dora",
        label=Words("DoRA", "DoRA"),
        summary=Words(
            "LoRA that learns how long each weight vector is apart from where it points: often a little better than "
            "LoRA at the same rank, and slower.",
            "把权重向量的长度与方向分开学习的 LoRA：同样的秩下往往略好一些，但更慢。",
        ),
        params=parameters.DoraParams,
        prepare=adapters.dora,
        count=counts.dora,
        marks=marks.low_rank,
        learning_rate=5e-4,
        diagram="dora.svg",
        rate_factor=adapters.loraplus,
        needs_format=lambda params: True,
    ),
    MethodSpec(
        key="adalora",
        label=Words("AdaLoRA", "AdaLoRA"),
        summary=Words(
            "LoRA that moves its ranks during training to the layers that need them most.",
            "训练过程中自动把秩分配给最需要的层的 LoRA。",
        ),
        params=parameters.AdaloraParams,
        prepare=adapters.adalora,
        count=counts.adalora,
        marks=marks.adalora,
        learning_rate=2e-3,
        diagram="adalora.svg",
        penalty=adapters.adalora_penalty,
        callbacks=adapters.adalora_callbacks,
        state=State(adapters.adalora_state, adapters.adalora_go_on),
        not_in_parts=Words(
            "it shares out its ranks by looking at whole matrices; take LoRA, or let each device keep the whole model",
            "它要查看完整的矩阵才能分配秩；请改用 LoRA，或让每个设备存放完整模型",
        ),
        clashes=(
            Clash(
                "target_r",
                lambda params: params.target_r >= params.init_r,
                Words(
                    "it must be below the initial rank, or there is nothing to share out",
                    "必须小于初始秩，否则没有可以分配的秩",
                ),
            ),
        ),
        needs_format=lambda params: True,
    ),
    MethodSpec(
        key="full",
        label=Words("Full fine-tuning (FFT)", "全量微调（FFT）"),
        summary=Words(
            "Every parameter learns. It can change most and forget most, and needs four times the model's size in memory.",
            "所有参数都参与训练。改变最大，也最容易遗忘，训练所需内存约为模型本身的四倍。",
        ),
        params=parameters.FullParams,
        prepare=adapters.full,
        count=counts.full,
        marks=marks.full,
        learning_rate=2e-4,
        diagram="full.svg",
        saves="model",
        not_on_packed=_FROZEN_FOR_EVER,
    ),
    MethodSpec(
        key="freeze",
        label=Words("Freeze tuning", "冻结微调"),
        summary=Words(
            "Only the last layers learn, the rest stays as it is: simple, and between LoRA and full fine-tuning in cost.",
            "只训练最后几层，其余保持不变：做法简单，开销介于 LoRA 与全量微调之间。",
        ),
        params=parameters.FreezeParams,
        prepare=adapters.freeze,
        count=counts.freeze,
        marks=marks.freeze,
        learning_rate=2e-4,
        diagram="freeze.svg",
        saves="model",
        not_on_packed=_FROZEN_FOR_EVER,
    ),
    MethodSpec(
        key="prompt_tuning",
        label=Words("Prompt Tuning", "Prompt Tuning（提示微调）"),
        summary=Words(
            "The model stays untouched; a few invisible words before each question are learnt. The smallest file of all, "
            "and the least it can teach.",
            "模型完全不变，只学习加在每个问题前面的几个“看不见的词”。文件最小，能教的也最少。",
        ),
        params=parameters.PromptTuningParams,
        prepare=adapters.prompt_tuning,
        count=counts.prompt_tuning,
        marks=marks.prompt,
        learning_rate=1e-2,
        diagram="prompt_tuning.svg",
        layout="prompt",
    ),
    MethodSpec(
        key="p_tuning",
        label=Words("P-Tuning", "P-Tuning"),
        summary=Words(
            "Prompt Tuning whose invisible words are written by a small network, which makes them easier to learn.",
            "由一个小网络来生成“看不见的词”的提示微调，更容易学好。",
        ),
        params=parameters.PTuningParams,
        prepare=adapters.p_tuning,
        count=counts.p_tuning,
        marks=marks.prompt,
        learning_rate=1e-3,
        diagram="p_tuning.svg",
        layout="prompt",
    ),
    MethodSpec(
        key="prefix_tuning",
        label=Words("Prefix-Tuning", "Prefix-Tuning（前缀微调）"),
        summary=Words(
            "Learns something to attend to before the question in every layer, not only at the entrance; also known as "
            "P-Tuning v2.",
            "在每一层（而不只是入口）学习问题之前的一段“前缀”供模型参考；又称 P-Tuning v2。",
        ),
        params=parameters.PrefixTuningParams,
        prepare=adapters.prefix_tuning,
        count=counts.prefix_tuning,
        marks=marks.prefix,
        learning_rate=1e-2,
        diagram="prefix_tuning.svg",
        layout="prefix",
        needs_format=lambda params: True,
    ),
    MethodSpec(
        key="ia3",
        label=Words("IA3", "IA3"),
        summary=Words(
            "Learns only how strongly keys, values and feed-forward units act: very few parameters.",
            "只学习键、值与前馈单元的放大倍数：参数极少。",
        ),
        params=parameters.Ia3Params,
        prepare=adapters.ia3,
        count=counts.ia3,
        marks=marks.ia3,
        learning_rate=5e-3,
        diagram="ia3.svg",
    ),
    MethodSpec(
        key="ln_tuning",
        label=Words("Norm tuning", "归一化层微调"),
        summary=Words(
            "Only the scales of the normalisation layers learn: the fewest parameters inside the model.",
            "只训练归一化层的缩放系数：模型内部参数最少的方法。",
        ),
        params=parameters.NormParams,
        prepare=adapters.norms,
        count=counts.norms,
        marks=marks.norms,
        learning_rate=2e-3,
        diagram="ln_tuning.svg",
    ),
)


def get(key: str) -> MethodSpec:
    """Raises:
    NotFound: naming the keys there are.
    """
    for spec in METHODS:
        if spec.key == key:
            return spec
    known = ", ".join(spec.key for spec in METHODS)
    raise NotFound(kind=Words("method", "方法"), name=key, hint=Words(f"There are: {known}.", f"可选：{known}。"))
