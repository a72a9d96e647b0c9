"""Before Start: how much trains, how large the saved file will be, and in plain words what the run will do."""

import gradio as gr

from engine import home
from engine.errors import InvalidFields, TuneDeskError
from engine.training import methods, outlook
from engine.training.config import RunConfig
from engine.training.outlook import Outlook
from ui import cards, fit
from ui.model_tab import count, model_label
from ui.text import Text


class Panel:
    """The components, where they are made. `outputs` take what `shown` or `unknown` make."""

    def __init__(self, t: Text):
        self._t = t
        with gr.Column(elem_id="train-outlook") as self.column:
            gr.HTML(f"<h3>{t.html('outlook.title')}</h3>", apply_default_css=False)
            facts = cards.stats("outlook-facts")
            story = gr.HTML("", elem_id="outlook-story", apply_default_css=False)
            self.fit_length = gr.Button("", elem_id="outlook-length", visible=False, size="sm")
            self.to_data = gr.Button(t("outlook.to_data"), elem_id="outlook-data", visible=False, size="sm")
            # Apart from `outputs`: it measures this machine first, which takes seconds the first time.
            self.fit = fit.view("train-fit")
        self.outputs = [facts, story, self.fit_length, self.to_data]

    def shown(self, config: RunConfig) -> list:
        """What the run of `config` will do.

        Raises:
            TuneDeskError: model or data cannot be used.
        """
        t, found = self._t, outlook.of(config)
        sentences = "".join(f"<li>{sentence}</li>" for sentence in _story(t, config, found))
        cut = found.too_long > 0 and found.suggested_length
        label = t("outlook.use_length", length=f"{found.suggested_length:,}") if cut else ""
        return [
            _facts(t, found),
            f'<ul class="td-story">{sentences}</ul>',
            gr.update(value=label, visible=bool(cut)),
            gr.update(visible=False),
        ]

    def unknown(self, error: TuneDeskError | None, other_data: bool = False) -> list:
        """Nothing can be said yet: no data (`error` None), or what is wrong. `other_data`: the objective needs other."""
        t = self._t
        if error is None:
            told = t.html("outlook.no_data")
        elif isinstance(error, InvalidFields):
            told = t.html("outlook.check", problems=error.text(t.lang))
        else:
            told = t.html("outlook.problem", problem=error.text(t.lang))
        return [[], f"<p>{told}</p>", gr.update(visible=False), gr.update(visible=error is None or other_data)]


def _facts(t: Text, found: Outlook) -> list[dict]:
    share = found.trainable / found.parameters if found.trainable and found.parameters else None
    return cards.figures(
        [
            cards.Fact(
                t("outlook.trainable"),
                count(found.trainable),
                t("outlook.share", share=percent(share)) if share else "",
            ),
            cards.Fact(t("outlook.saved"), home.size_text(found.saved_bytes) if found.saved_bytes else "–"),
            cards.Fact(t("outlook.steps"), f"{found.steps:,}"),
            cards.Fact(t("outlook.rate"), _rate(found)),
        ]
    )


def _story(t: Text, config: RunConfig, found: Outlook) -> list[str]:
    """Sentences, as HTML."""
    training, method = config.training, methods.get(config.method)
    saves = "outlook.saves_adapter" if method.saves == "adapter" else "outlook.saves_model"
    told = [
        t.html(
            "outlook.reads",
            model=model_label(t, config.model),
            rows=f"{found.train_rows:,}",
            batch=found.rows_per_step,
            passes=f"{round(found.passes, 2):g}",
        ),
        t.html(saves, method=t.of(method.label)),
        t.html(
            "outlook.rises" if found.warmup_steps else "outlook.begins",
            warmup=f"{found.warmup_steps:,}",
            rate=_rate(found),
            then=t(f"outlook.then_{training.lr_scheduler_type.partition('_')[0]}"),
        ),
    ]
    if found.val_rows:
        told.append(t.html("outlook.validates", every=f"{found.eval_every:,}", rows=f"{found.val_rows:,}"))
    elif "num_generations" in config.objective_params:
        told.append(t.html("outlook.tries", tries=config.objective_params["num_generations"]))
    else:
        told.append(t.html("outlook.no_validation"))
    if training.early_stopping_patience and found.val_rows:
        told.append(t.html("outlook.stops_early", times=training.early_stopping_patience))
    if found.longest and found.too_long:
        told.append(
            t.html(
                "outlook.cut",
                share=percent(found.too_long),
                limit=f"{training.max_length:,}",
                longest=f"{found.longest:,}",
            )
        )
    elif found.longest:
        told.append(t.html("outlook.whole", longest=f"{found.longest:,}"))
    if method.paged_optimizer:
        told.append(t.html("outlook.paged"))
    return told


def _rate(found: Outlook) -> str:
    return f"{found.learning_rate:g}" if found.learning_rate else "–"


def percent(share: float) -> str:
    """A share with two digits that matter: 3.7%, 0.078%."""
    return f"{100 * share:.2g}%" if share < 0.995 else f"{100 * share:.0f}%"
