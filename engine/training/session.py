"""One training run, from its config to its final model: prepares data, model and trainer, and lets it run."""

import math
import shutil
import time
from pathlib import Path

import torch
import transformers
from transformers import EarlyStoppingCallback, TrainingArguments

from engine import hardware, home
from engine.data import datasets, encode
from engine.data.encode import Encoded
from engine.errors import NoRows
from engine.models import library
from engine.runs.events import Events
from engine.training import budget, checkpoints, loading, methods
from engine.training.batching import Layout
from engine.training.config import RunConfig
from engine.training.learner import Learner
from engine.training.reporting import Reporter
from engine.training.trainer import PackedTrainer
from engine.words import Words


class Session:
    """`run`: the run's folder; `events`: where it tells what happens."""

    def __init__(self, run: Path, config: RunConfig, events: Events):
        self._run, self._config, self._events = run, config, events
        self._method = methods.get(config.method)
        self._device = hardware.best()
        # What the supervisor wrote for this start: where to resume, and how much smaller packs must be.
        self._plan = _read(run / "resume.json") or {}

    def run(self) -> None:
        """Raises:
        NoRows: nothing to learn from is left after tokenising.
        Unsupported: the method cannot work on this model.
        LossNotFinite: training diverged.
        """
        transformers.set_seed(self._config.training.seed)
        model_path = Path(self._config.model)
        tokenizer = loading.load_tokenizer(model_path)
        template = encode.chat_template(tokenizer)
        tokenizer.chat_template = template
        home.write_atomically(self._run / "chat_template.jinja", template.encode())
        train, val = self._encoded(tokenizer, template, "train"), self._encoded(tokenizer, template, "val")
        if train is None or not len(train):
            raise NoRows(read=train.skipped if train else 0, dropped=train.skipped if train else 0, hint=_LONGER)
        learner = self._learner(model_path, self._total_steps(train))
        trainer, reporter = self._trainer(learner, train, val)
        trainable = sum(p.numel() for p in learner.parameters() if p.requires_grad)
        parameters = library.describe(model_path).parameters
        self._events.write("phase", phase="measuring", trainable_parameters=trainable, parameters=parameters)
        started = time.monotonic()
        checkpoint = self._plan.get("checkpoint")
        trainer.train(
            resume_from_checkpoint=str(self._run / "checkpoints" / f"checkpoint-{checkpoint}") if checkpoint else None
        )
        seconds = time.monotonic() - started - reporter.seconds_aside
        if val is not None and reporter.evaluated_step != trainer.state.global_step:
            self._events.write("phase", phase="evaluating")
            trainer.evaluate()
        self._events.write("phase", phase="saving")
        self._save(learner, tokenizer)
        self._events.write(
            "done",
            stopped=reporter.stopped,
            steps=trainer.state.global_step,
            final_loss=reporter.final_loss,
            eval_loss=reporter.eval_loss,
            tokens_per_second=round(trainer.tokens_seen / max(seconds, 1e-9), 1),
            trainable_parameters=trainable,
            parameters=parameters,
        )

    def _encoded(self, tokenizer: object, template: str, split: str) -> Encoded | None:
        """The rows of a split as tokens; None where the data set has no such split."""
        data = datasets.load(Path(self._config.data))
        if not (data.path / f"{split}.json").is_file() or not (data.train if split == "train" else data.val):
            return None

        def progress(done: int, total: int) -> None:
            self._events.write("phase", phase="tokenising", split=split, done=done, total=total)

        progress(0, data.train if split == "train" else data.val)
        rows = encode.encoded(
            data.path,
            split,
            tokenizer,
            Path(self._config.model),
            data.format,
            self._config.training.max_length,
            template,
            progress,
        )
        if rows.cut or rows.skipped:
            limit = self._config.training.max_length
            self._events.write("warning", **_CUT.filled(cut=rows.cut, skipped=rows.skipped, limit=limit)._asdict())
        return rows

    def _total_steps(self, train: Encoded) -> int:
        training = self._config.training
        if training.max_steps > 0:
            return training.max_steps
        return math.ceil(self._epochs * math.ceil(len(train) / training.batch_size))

    @property
    def _epochs(self) -> float:
        return self._plan.get("num_train_epochs") or self._config.training.num_train_epochs

    def _learner(self, path: Path, total_steps: int) -> Learner:
        training = self._config.training
        parameters = library.describe(path).parameters
        weights, compute = loading.base_precision(
            training.precision, self._device, parameters, trains_base=self._method.saves == "model"
        )
        params = self._method.params(**self._config.method_params)
        base = loading.load_model(path, weights, self._device, self._method.quantisation(params, weights))
        base.config.use_cache = False
        if training.gradient_checkpointing:
            base.gradient_checkpointing_enable({"use_reentrant": False})
        model = self._method.prepare(base, params, total_steps)
        learner = Learner(model, self._method, compute, training.neftune_noise_alpha)
        checkpoints.keep_start(learner, self._run / "start")
        return learner

    def _trainer(self, learner: Learner, train: Encoded, val: Encoded | None) -> tuple[PackedTrainer, Reporter]:
        training, causal = self._config.training, learner.causal
        total = self._total_steps(train)
        every = training.eval_steps or max(1, total // 10)
        tokens = self._budget(causal)
        self._events.write("phase", phase="preparing", micro_batch=max(1, int(tokens / train.lengths.mean())))
        cuda = self._device.kind == "cuda"
        args = TrainingArguments(
            output_dir=str(self._run / "checkpoints"),
            per_device_train_batch_size=training.batch_size,
            num_train_epochs=self._epochs,
            max_steps=training.max_steps,
            learning_rate=self._rate(causal.config.hidden_size),
            lr_scheduler_type=training.lr_scheduler_type,
            warmup_steps=training.warmup_steps,
            weight_decay=training.weight_decay,
            max_grad_norm=training.max_grad_norm,
            optim="paged_adamw_32bit" if self._method.paged_optimizer and cuda else "adamw_torch_fused",
            seed=training.seed,
            logging_steps=training.logging_steps,
            logging_nan_inf_filter=False,
            eval_strategy="steps" if val is not None else "no",
            eval_steps=every,
            # The base's own loss, so that the curve shows what training did; a resumed run has it already.
            eval_on_start=val is not None and not self._plan.get("checkpoint"),
            save_strategy="steps",
            save_steps=training.save_steps or every,
            metric_for_best_model="eval_loss" if val is not None else None,
            greater_is_better=False,
            use_cpu=self._device.kind == "cpu",
            disable_tqdm=True,
            report_to="none",
            remove_unused_columns=False,
        )
        virtual = learner.model.active_peft_config.num_virtual_tokens if self._method.layout != "weights" else 0
        reporter = Reporter(self._events, self._run, lambda: trainer.tokens_seen)
        callbacks = [reporter, *self._method.callbacks(learner.model)]
        if training.early_stopping_patience and val is not None:
            callbacks.append(EarlyStoppingCallback(training.early_stopping_patience))
        trainer = PackedTrainer(
            learner,
            args,
            train=train,
            val=val,
            val_rows=training.eval_rows,
            layout=Layout.of(self._method.layout, virtual),
            budget=tokens,
            keep=training.save_total_limit,
            callbacks=callbacks,
        )
        trainer.remove_callback(transformers.PrinterCallback)
        return trainer, reporter

    def _budget(self, causal: torch.nn.Module) -> int:
        """Tokens a pack may hold: decided at the run's first start and kept, so that a resumed run adds the same
        numbers in the same order; less after running out of memory."""
        decided = _read(self._run / "decisions.json")
        if decided is None:
            decided = {"budget": budget.tokens(causal, self._device, self._config.training.gradient_checkpointing)}
            home.write_json(self._run / "decisions.json", decided)
        return max(1, decided["budget"] // self._plan.get("micro_batch_divisor", 1))

    def _rate(self, hidden_size: int) -> float:
        chosen = self._config.training.learning_rate
        return self._method.rate(hidden_size) if chosen is None else chosen

    def _save(self, learner: Learner, tokenizer: object) -> None:
        """`final/`, whole or not at all; one from before a resume makes way."""
        final, beside = self._run / "final", self._run / ".final"
        shutil.rmtree(beside, ignore_errors=True)
        checkpoints.save_model(learner, beside, learner.compute)
        tokenizer.save_pretrained(beside)
        shutil.rmtree(final, ignore_errors=True)
        beside.rename(final)


_LONGER = Words(
    "Every row lost its answer at the maximum length: raise it, or shorten the rows.",
    "所有行的回答都被最大长度截掉了：请调大最大长度，或缩短数据。",
)


_CUT = Words(
    "{cut} rows are longer than {limit} tokens and were cut; {skipped} had no answer left and are left out.",
    "有 {cut} 行超过 {limit} 个 token，已被截断；其中 {skipped} 行没有剩下任何回答，不参与训练。",
)


def _read(path: Path) -> dict | None:
    return home.read_json(path) if path.is_file() else None
