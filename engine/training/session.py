"""One training run, from its config to its final model: prepares data, model and trainer, and lets it run."""

import math
import shutil
import time
from collections.abc import Callable, Sized
from functools import partial
from pathlib import Path
from typing import TypeVar

import torch
import transformers
from transformers import EarlyStoppingCallback, Trainer

from engine import hardware, home
from engine.data import encode
from engine.models import library
from engine.runs import plan
from engine.runs.events import Events
from engine.training import budget, checkpoints, distributed, loading, methods, objectives, sharding
from engine.training import config as configs
from engine.training.config import RunConfig
from engine.training.recipe import Recipe, Task
from engine.training.reporting import Reporter
from engine.training.room import Room
from engine.training.tuned import Tuned
from engine.words import Words

T = TypeVar("T")


_NO_FORMAT = Words(
    "This device does not compute in {wanted}; {taken} is used.", "该设备不支持 {wanted} 计算，已改用 {taken}。"
)


class Session:
    """`run`: the run's folder; `events`: where it tells what happens."""

    def __init__(self, run: Path, config: RunConfig, events: Events):
        self._run, self._config, self._events = run, config, events
        self._method, self._objective = methods.get(config.method), objectives.get(config.objective)
        self._method_params = self._method.params(**config.method_params)
        self._device = hardware.best()
        self._sharded = config.devices.spread == "parts" and distributed.count() > 1
        self._room = Room(run, events)
        # What the supervisor wrote for this start: where to resume, and how much smaller packs must be.
        self._plan = plan.read(run)

    def run(self) -> None:
        """Raises:
        NoRows: nothing to learn from is left after tokenising.
        Unsupported: the method cannot work on this model.
        LossNotFinite: training diverged.
        """
        distributed.join(cpu=self._device.kind == "cpu")
        transformers.set_seed(self._config.training.seed)
        model_path = Path(self._config.model)
        tokenizer = loading.load_tokenizer(model_path)
        template = encode.chat_template(tokenizer)
        tokenizer.chat_template = template
        home.write_atomically(self._run / "chat_template.jinja", template.encode())
        recipe = self._objective.recipe()(
            Task(
                run=self._run,
                config=self._config,
                events=self._events,
                # In parts, one layer after the other goes to the device: all of it may not fit there.
                device=hardware.devices()[-1] if self._sharded else self._device,
                tokenizer=tokenizer,
                template=template,
                params=self._objective.params(**self._config.objective_params),
            )
        )
        with distributed.main_first():
            train, val = recipe.rows()
        total = self._total_steps(recipe, train)
        tuned = self._tuned(recipe, model_path, total)
        trainer, reporter = self._trainer(recipe, tuned, total, val is not None and self._objective.evaluates)
        trainable = sum(p.numel() for p in tuned.parameters() if p.requires_grad)
        parameters = library.describe(library.base(model_path)).parameters
        sizes = {"trainable_parameters": trainable, "parameters": parameters, "rows": len(train)}
        self._events.write("phase", phase="measuring", **sizes)
        started = time.monotonic()
        trainer.train(resume_from_checkpoint=self._checkpoint())
        seconds = time.monotonic() - started - reporter.seconds_aside
        if trainer.state.global_step < trainer.state.max_steps and not reporter.stopped:
            self._events.write("warning", **_EARLY.filled(step=trainer.state.global_step)._asdict())
        if trainer.args.do_eval and reporter.evaluated_step != trainer.state.global_step:
            self._events.write("phase", phase="evaluating")
            trainer.evaluate()
        self._events.write("phase", phase="saving")
        with sharding.gathered(tuned) as gathered:
            if distributed.is_main():
                self._room.keep(
                    lambda: self._save(tuned, tokenizer, gathered),
                    lambda: shutil.rmtree(self._run / ".final", ignore_errors=True),
                )
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

    def _checkpoint(self) -> str | None:
        """The folder of the checkpoint to go on from; `best/` becomes what it was then."""
        step = self._plan["checkpoint"]
        folder = self._run / "checkpoints" / f"checkpoint-{step}"
        if distributed.is_main():
            checkpoints.best_again(self._run, folder if step else None)
        distributed.wait()
        return str(folder) if step else None

    def _total_steps(self, recipe: Recipe, train: Sized) -> int:
        if self._max_steps > 0:
            return self._max_steps
        return math.ceil(self._epochs * math.ceil(len(train) / recipe.rows_per_step))

    @property
    def _max_steps(self) -> int:
        """-1: as many as the epochs have. A run that is asked to go on for more epochs has outgrown its limit."""
        return -1 if self._plan["num_train_epochs"] else self._config.training.max_steps

    @property
    def _epochs(self) -> float:
        return self._plan["num_train_epochs"] or self._config.training.num_train_epochs

    def _tuned(self, recipe: Recipe, path: Path, total_steps: int) -> Tuned:
        training = self._config.training
        parameters = library.describe(library.base(path)).parameters
        precision = self._decided(
            "precision",
            lambda: hardware.training_precision(
                training.precision,
                self._device,
                parameters,
                recipe.at_rest(path),
                hardware.free_memory(self._device),
                hardware.bf16_products_are_faster,
            ),
        )
        if training.precision not in ("auto", precision):
            self._events.write("warning", **_NO_FORMAT.filled(wanted=training.precision, taken=precision)._asdict())
        weights, compute = loading.base_precision(
            hardware.torch_dtype(precision), trains_base=self._method.saves == "model"
        )
        params = self._method_params
        base = recipe.load(path, weights, self._method.quantisation(params, weights))
        base.config.use_cache = False
        model = self._method.prepare(base, params, total_steps)
        if training.gradient_checkpointing:
            # Afterwards: PEFT refuses a prefix for a base that does it, since a cache of keys goes with it in no other way.
            base.activation_checkpointing_enable({"use_reentrant": False})
        tuned = recipe.wrap(Tuned(model, self._method, compute))
        tuned.rate_factor = partial(self._method.rate_factor, params)
        checkpoints.keep_start(tuned, self._run / "start")
        if self._sharded:
            sharding.shard(tuned, self._device)
        return tuned

    def _trainer(self, recipe: Recipe, tuned: Tuned, total: int, evaluates: bool) -> tuple[Trainer, Reporter]:
        training, causal = self._config.training, tuned.causal
        every = training.eval_steps or max(1, total // 10)
        cuda = self._device.kind == "cuda"
        arguments = dict(
            output_dir=str(self._run / "checkpoints"),
            per_device_train_batch_size=training.batch_size,
            num_train_epochs=self._epochs,
            max_steps=self._max_steps,
            learning_rate=configs.rate(self._config, causal.config.hidden_size),
            lr_scheduler_type=training.lr_scheduler_type,
            warmup_steps=training.warmup_steps,
            weight_decay=training.weight_decay,
            max_grad_norm=training.max_grad_norm,
            optim="paged_adamw_32bit" if self._method.paged_optimizer and cuda else "adamw_torch_fused",
            seed=training.seed,
            logging_steps=training.logging_steps,
            logging_nan_inf_filter=False,
            eval_strategy="steps" if evaluates else "no",
            eval_steps=every,
            # The base's own loss, so that the curve shows what training did; a resumed run has it already.
            eval_on_start=evaluates and not self._plan["checkpoint"],
            save_strategy="steps",
            save_steps=training.save_steps or every,
            metric_for_best_model="eval_loss" if evaluates else None,
            greater_is_better=False,
            use_cpu=self._device.kind == "cpu",
            disable_tqdm=True,
            report_to=training.report_to,
            # Every parameter that trains has a part in every loss, and buffers are the same in every process.
            ddp_find_unused_parameters=False,
            ddp_broadcast_buffers=False,
            remove_unused_columns=False,
        )
        reporter = Reporter(self._events, self._run, lambda: trainer.tokens_seen, self._objective.metrics)
        callbacks = [reporter, *self._method.callbacks(tuned.model)]
        if training.early_stopping_patience and evaluates:
            callbacks.append(EarlyStoppingCallback(training.early_stopping_patience))
        trainer = recipe.trainer(tuned, arguments, self._budget(causal), callbacks)
        # It then leaves gradients and placement to the model itself. Set on the model, it would refuse to keep checkpoints:
        # transformers' own cannot hold parts.
        trainer.is_distributed_loading_by_transformers = self._sharded
        trainer.room, trainer.most = self._room, 1e9 * (training.save_disk_gb or math.inf)
        self._events.write("phase", phase="preparing", micro_batch=trainer.micro_batch)
        trainer.remove_callback(transformers.PrinterCallback)
        return trainer, reporter

    def _budget(self, causal: torch.nn.Module) -> int:
        """Tokens a pack may hold; less after running out of memory."""
        checkpointing, whole = self._config.training.gradient_checkpointing, self._method.saves == "model"
        decided = self._decided("budget", lambda: budget.tokens(causal, self._device, checkpointing, whole))
        return max(1, decided // self._plan["micro_batch_divisor"])

    def _decided(self, name: str, decide: Callable[[], T]) -> T:
        """What depends on this machine and this moment is decided at the run's first start and kept, so that a resumed
        run computes the same numbers in the same order."""
        file = self._run / "decisions.json"
        with distributed.main_first():
            decisions = home.read_json(file) if file.is_file() else {}
            if name not in decisions:
                decisions[name] = decide()
                home.write_json(file, decisions)
        return decisions[name]

    def _save(self, tuned: Tuned, tokenizer: object, gathered: dict[str, torch.Tensor] | None) -> None:
        """`final/`, whole or not at all; one from before a resume makes way."""
        final, beside = self._run / "final", self._run / ".final"
        shutil.rmtree(beside, ignore_errors=True)
        checkpoints.save_model(tuned, beside, tuned.compute, gathered)
        tokenizer.save_pretrained(beside)
        shutil.rmtree(final, ignore_errors=True)
        beside.rename(final)


_EARLY = Words(
    "Ended early at step {step}: the validation loss no longer improved.",
    "在第 {step} 步提前结束：验证损失不再改善。",
)
