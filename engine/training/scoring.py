"""A reward model that a run made: conversations in, one score each out."""

from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification, PreTrainedModel

from engine import hardware, home
from engine.data.formats import Messages
from engine.data.tokens import Tokens
from engine.hardware import Device
from engine.training.loading import load_model, load_tokenizer

# Conversations read at once.
_AT_ONCE = 16


def load_scoring_model(path: Path, dtype: torch.dtype, device: Device, quantisation: object = None) -> PreTrainedModel:
    """The language model in `path` with a head that gives one number in place of the one that gives tokens. The head is
    random until it is trained, or until a reward model's own is put there."""
    options = {"num_labels": 1, "dtype": dtype, "device_map": device.key, "local_files_only": True}
    if (path / "adapter_config.json").is_file():
        merged = load_model(path, dtype, device)
        model = AutoModelForSequenceClassification.from_pretrained(merged.config._name_or_path, **options)
        model.base_model.load_state_dict(merged.base_model.state_dict())
        model.name_or_path = str(path)
    else:
        model = AutoModelForSequenceClassification.from_pretrained(path, quantization_config=quantisation, **options)
    model.register_forward_pre_hook(_ending_at_the_last_place, with_kwargs=True)
    return model


def _ending_at_the_last_place(model: PreTrainedModel, args: tuple, given: dict) -> tuple[tuple, dict]:
    """Where virtual tokens stand before the question a model gets embeddings, and reads the score at the last place,
    padding or not. So the padding comes first there, and every token keeps its position."""
    if given.get("inputs_embeds") is None:
        return args, given
    mask = given["attention_mask"]
    order = mask.argsort(dim=1, stable=True)
    mask = mask.gather(1, order)
    embeddings = given["inputs_embeds"].gather(1, order[:, :, None].expand_as(given["inputs_embeds"]))
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    return args, given | {"inputs_embeds": embeddings, "attention_mask": mask, "position_ids": positions}


class Scorer:
    """The reward model of the run in the folder `run`, on `device`."""

    def __init__(self, run: Path, device: Device):
        config, final = home.read_json(run / "config.json"), run / "final"
        base = Path(config["model"])
        dtype = hardware.torch_dtype(hardware.precision("auto", device, _parameters(base)))
        if (final / "adapter_config.json").is_file():
            from peft import PeftModel

            self._model = PeftModel.from_pretrained(load_scoring_model(base, dtype, device), final)
        else:
            self._model = load_scoring_model(final, dtype, device)
        tokenizer = load_tokenizer(final)
        self._pad = tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id
        self._model.config.get_text_config().pad_token_id = self._pad
        self._tokens = Tokens.of(tokenizer, (run / "chat_template.jinja").read_text(encoding="utf-8"))
        self._max_length = config["training"]["max_length"]
        self._device = torch.device(device.key)
        self._model.eval()

    @torch.inference_mode()
    def scores(self, conversations: list[Messages]) -> list[float]:
        """One score for each finished conversation, higher is better; what is longer than in training is cut."""
        texts = [self._tokens.template.render(each, add_generation_prompt=False) for each in conversations]
        ids = [encoding.ids[: self._max_length] for encoding in self._tokens.encodings(texts)]
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        scores = [0.0] * len(ids)
        for start in range(0, len(order), _AT_ONCE):
            chosen = order[start : start + _AT_ONCE]
            width = len(ids[chosen[-1]])
            batch = torch.full((len(chosen), width), self._pad)
            mask = torch.zeros((len(chosen), width), dtype=torch.int64)
            for row, i in enumerate(chosen):
                batch[row, : len(ids[i])] = torch.tensor(ids[i])
                mask[row, : len(ids[i])] = 1
            logits = self._model(input_ids=batch.to(self._device), attention_mask=mask.to(self._device)).logits
            for i, score in zip(chosen, logits[:, 0].float().tolist(), strict=True):
                scores[i] = score
        return scores


def _parameters(base: Path) -> int:
    from engine.models import library

    return library.describe(library.base(base)).parameters
