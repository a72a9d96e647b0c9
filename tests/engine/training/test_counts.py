"""What a method is said to train and to save is what PEFT really makes."""

import pytest
import torch
import transformers

from engine.training import counts, methods
from tests.engine.training import plain
from tests.tiny import make_model

CASES = [
    *[(spec.key, {}) for spec in methods.METHODS],
    ("lora", {"r": 3, "target_modules": "q_proj, v_proj"}),
    ("lora", {"train_embeddings": True}),
    ("lora", {"init_lora_weights": "pissa"}),
    ("dora", {"train_embeddings": True}),
    ("adalora", {"init_r": 5, "target_r": 2, "target_modules": "down_proj"}),
    ("p_tuning", {"encoder_reparameterization_type": "LSTM", "encoder_hidden_size": 20}),
    ("prefix_tuning", {"prefix_projection": True, "encoder_hidden_size": 20}),
    ("freeze", {"num_layers": 9}),
]


@pytest.mark.parametrize("method, params", CASES, ids=plain.names(CASES))
def test_what_trains_is_counted_to_the_last_number(model, method, params):
    spec = methods.get(method)
    made = plain.prepare(model, method, params, total_steps=20, seed=0)
    count = spec.count(counts.shape_of(model), spec.params(**params))
    assert count.trainable == sum(p.numel() for p in made.parameters() if p.requires_grad)


@pytest.mark.parametrize("method", [spec.key for spec in methods.METHODS])
def test_the_saved_file_is_as_large_as_said(train, model, method):
    """But for the names in its header."""
    run, _ = train(method, max_steps=3, batch_size=6, learning_rate=1e-3, precision="fp32", eval_rows=2)
    said = methods.get(method).count(counts.shape_of(model), methods.get(method).params()).saved * 4
    saved = sum(file.stat().st_size for file in (run / "final").glob("*.safetensors"))
    if method == "adalora":  # it keeps whole ranks, and matrices differ in size
        assert 0.7 * said < saved < 1.3 * said + 10_000
    else:
        assert said < saved < said + 10_000


def test_the_modules_of_a_model_are_named(model):
    names = ["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"]
    assert counts.modules(counts.shape_of(model)) == names


def test_an_untied_head_counts_and_takes_no_adapter(tmp_path):
    model = make_model(tmp_path / "untied", tie_word_embeddings=False)
    loaded = transformers.AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    shape = counts.shape_of(model)
    assert shape.parameters == loaded.num_parameters()
    assert "lm_head" not in counts.modules(shape)
