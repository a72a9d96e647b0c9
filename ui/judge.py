"""The AI judge (RLAIF) by one button: the model answers twice, a judge compares, and the model trains on what is preferred.

Each stage is a job of its own: the judging shows here, the training where every training shows.
"""

import os
import re

import gradio as gr

from engine.compare import judge, judges
from engine.data import datasets
from engine.errors import InvalidFields, Unsupported
from engine.fields import validated
from engine.models import library
from engine.runs import status as states
from engine.runs import store
from engine.training import rewards
from engine.words import Words
from ui import columns, job_view, judgements, table
from ui.forms import Form
from ui.model_tab import chosen_model, model_name
from ui.page import Page, choices, free
from ui.text import Text
from ui.training_runs import found

# What stands for an address in the list of judges.
_REMOTE = "remote"
_NO_ADDRESS = Words("Type the address of the judge; it begins with http.", "请填写评审服务的地址，以 http 开头。")
_NOTHING = Words("Choose the model, the questions and the judge first.", "请先选择作答的模型、问题所在的数据集和评审。")


def build(page: Page, training: gr.HTML) -> None:
    """The section; `training` is the live view of the run that the page follows."""
    t, services = page.t, page.services
    form = Form(judge.DrawParams, t, "judge")
    with (
        gr.Column(elem_classes="td-panel"),
        gr.Accordion(t("judge.section"), open=False, elem_classes="td-section", elem_id="judge"),
    ):
        gr.HTML(f'<p class="td-sub">{t.html("judge.lead")}</p>', apply_default_css=False)
        with gr.Row(elem_classes="td-fields"):
            model = gr.Dropdown(label=t("judge.model"), elem_id="judge-model", interactive=True)
            data = gr.Dropdown(label=t("judge.data"), info=t("judge.data_help"), elem_id="judge-data", interactive=True)
            by = gr.Dropdown(
                label=t("judge.judge"), info=t("judge.judge_help"), elem_id="judge-judge", interactive=True
            )
        with gr.Row(elem_classes="td-fields", visible=False, elem_id="judge-remote") as remote:
            address = gr.Textbox(
                "", label=t("judge.address"), placeholder="https://…/v1", max_lines=1, elem_id="judge-address"
            )
            key = gr.Textbox(
                "", label=t("judge.key"), info=t("judge.key_help"), type="password", max_lines=1, elem_id="judge-key"
            )
        criteria = gr.Textbox(
            t.of(judges.CRITERIA),
            label=t("judge.criteria"),
            info=t("judge.criteria_help"),
            lines=3,
            max_lines=8,
            elem_id="judge-criteria",
        )
        form.basic()
        with gr.Accordion(t("form.advanced"), open=False, elem_classes="td-fold") as fold:
            form.advanced()
        with gr.Row(elem_classes="td-actions"):
            start = gr.Button(t("judge.start"), variant="primary", elem_id="judge-start")
            resume = gr.Button(t("judge.resume"), elem_id="judge-resume", visible=False)
        live = job_view.view(t, services, "judge-job")
        outcome = gr.HTML(
            {},
            html_template="${TuneDesk.draw.judged(value)}",
            js_on_load="TuneDesk.judged(element, trigger); // 'open'",
            elem_id="judge-outcome",
            apply_default_css=False,
        )
        judged = judgements.Fold(t, "judge-judgements")

    def state(job: store.Run | None) -> list:
        """What the live view, the outcome, the button to go on and the judgements show of a judging."""
        return [*_state(t, services, job), *judged.shown(job.path if job else None)]

    def show(place: dict, asked: str | None, judged_by: str | None, where: str) -> list:
        """What can be chosen, and how far the newest judging is. What somebody chose stays."""
        if judged_by == _REMOTE and not where:
            judged_by = None  # nobody's choice: it is the first where there is no reward model yet
        newest = _newest()
        first = chosen_model(place["model"])
        runs = [(columns.run_name(t, run), run.id) for run in columns.comparable()]
        own = (model_name(t, first), str(first.path))
        folders = [(model_name(t, each), str(each.path)) for each in library.models() if each.path != first.path]
        asking = [each for each in datasets.data_sets() if each.format in judge.WITH_QUESTIONS]
        scored = [(_named(t, "judge.by_reward", run), run.id) for run in rewards.models()]
        others = [(t("judge.by_model", name=label), value) for label, value in [*runs, own, *folders]]
        # As everywhere in this step, the model of the first step learns unless somebody says otherwise.
        return [
            _listed([(t("judge.chosen", name=own[0]), own[1]), *runs, *folders]),
            _listed([(each.name, each.name) for each in asking], place["data"], asked),
            _listed([*scored, (t("judge.by_address"), _REMOTE), *others], judged_by),
            *state(newest),
        ]

    def begin(
        place: dict, who: str, questions: str, judged_by: str, where: str, secret: str, said: str, *values
    ) -> list:
        try:
            given = {name: value for name, value in form.settings(values).items() if value is not None}
            params = validated(judge.JudgeParams, given | {"criteria": said or ""})
        except InvalidFields as error:
            gr.Warning(error.text(t.lang), title=t("train.check_fields"))
            return [*[gr.skip()] * (len(views) + 1), gr.update(open=True), *form.problems(error)]
        if not who or not questions or not judged_by:
            raise Unsupported(reason=_NOTHING)
        if judged_by == _REMOTE and not re.match(r"https?://", (where or "").strip()):
            raise Unsupported(reason=_NO_ADDRESS)
        if secret:
            # For the processes that this one starts, and nowhere else.
            os.environ[judges.KEY] = secret.strip()
        name = free(f"{questions}-{t('judge.suffix')}", lambda name: datasets.place(name).exists())
        then = {"method": "lora", "settings": {}, "name": t("judge.run_name")}
        chosen = where.strip() if judged_by == _REMOTE else judged_by
        job = judge.begin(who, questions, chosen, datasets.place(name), params, then, name=name)
        services.jobs.submit(job)
        return [*state(job), "", gr.skip(), *form.problems(None)]

    def go_on(secret: str) -> list:
        job = _newest()
        if secret:
            os.environ[judges.KEY] = secret.strip()
        services.jobs.resume(job)
        return [*state(job), ""]

    def ended(place: dict) -> list:
        """The judging is over: what came out, and the page follows the run that it began."""
        job = _newest()
        result = job.status()["result"] if job else None
        follows = result.get("run") if result else None
        moved = {**choices(place), "run": follows} if follows else gr.skip()
        return [*state(job), moved]

    def open_run(place: dict, event: gr.EventData) -> dict:
        wanted = event._data.get("step")
        return {
            **choices(place),
            "run": str(event._data.get("run")),
            "step": "compare" if wanted == "compare" else "runs",
        }

    def trained() -> dict:
        """The run that the page follows has come to another state: it may be what is to be compared."""
        return _state(t, services, _newest())[1]

    def turn(event: gr.EventData) -> dict:
        job = _newest()
        return judged.turned(job.path if job else None, table.wanted(event)["start"])

    views = [live, outcome, resume, *judged.outputs]
    page.render("train", show, [model, data, by, *views], [data, by, address])
    private = {"api_visibility": "private", "show_progress": "hidden"}
    by.change(lambda chosen: gr.update(visible=chosen == _REMOTE), by, remote, queue=False, **private)
    start.click(
        page.guarded(begin),
        [page.chosen, model, data, by, address, key, criteria, *form.components],
        [*views, key, fold, *form.components],
        **private,
    )
    resume.click(page.guarded(go_on), key, [*views, key], **private)
    live.state(page.guarded(ended), page.chosen, [*views, page.chosen], **private)
    training.state(page.guarded(trained), None, outcome, **private)
    judged.view.turn(page.guarded(turn), None, judged.view, **private)
    outcome.open(open_run, page.chosen, page.chosen, **private)


def _listed(offered: list[tuple[str, str]], *wanted: str | None) -> dict:
    """A list in which the first of `wanted` that is offered is chosen, else the first of all."""
    values = [value for _, value in offered]
    chosen = [value for value in wanted if value in values]
    return gr.update(choices=offered, value=next(iter([*chosen, *values]), None))


def _newest() -> store.Run | None:
    return next((job for job in store.jobs() if job.kind == judge.KIND), None)


def _named(t: Text, key: str, run: store.Run) -> str:
    return t(key, name=columns.known_as(t, run))


def _state(t: Text, services, job: store.Run | None) -> list:
    """What the live view, the outcome and the button to go on show of a judging."""
    if job is None:
        return [job_view.shown(t, services, None), {}, gr.update(visible=False)]
    status = job.status()
    broken = status["state"] in ("failed", "stopped", "interrupted")
    result = status["result"]
    return [
        job_view.shown(t, services, job),
        _outcome(t, job, result) if result and not result["stopped"] else {},
        gr.update(visible=broken),
    ]


def _outcome(t: Text, job: store.Run, result: dict) -> dict:
    same = result.get("same", 0)  # judgings of earlier versions do not tell
    facts = [(t("judge.pairs"), f"{result['pairs']}"), (t("judge.ties"), f"{result['ties'] - same}")]
    if same:
        facts.append((t("judge.same"), f"{same}"))
    facts.append((t("judge.bias"), f"{100 * result['position_bias']:.0f}%"))
    if result["agreement"] is not None:
        facts.append((t("judge.agreement"), f"{100 * result['agreement']:.0f}%"))
    if result["prompt_tokens"]:
        tokens = result["prompt_tokens"] + result["completion_tokens"]
        # Without prices nothing is known of the cost.
        cost = f" · {result['cost']:.4f}" if result["cost"] else ""
        facts.append((t("judge.cost"), t("judge.spent", tokens=f"{tokens:,}") + cost))
    run = found(result.get("run"))
    return {
        "name": job.card["name"],
        "facts": [{"label": label, "value": value} for label, value in facts],
        "note": Words(*result["note"]).text(t.lang) if result["note"] else "",
        "run": run.id if run else None,
        "waits": _waits(t, run) if run else "",
        "words": {"training": t("judge.training"), "compare": t("judge.compare")},
    }


def _waits(t: Text, run: store.Run) -> str:
    """Why the model that the judging led to cannot be compared; "" where it can."""
    if run.has_model():
        return ""
    state = run.status()["state"]
    return t("judge.waits" if state == states.QUEUED or state in states.ACTIVE else "judge.no_model")
