"""Step 3: train. What to learn from and how, the parameters, and the run itself, live."""

from collections.abc import Sequence

import gradio as gr

from engine.errors import InvalidFields, TuneDeskError, Unsupported
from engine.runs import status as states
from engine.runs import store
from engine.training import config, counts, methods, presets, rewards
from engine.training.objectives import OBJECTIVES
from engine.training.objectives import get as get_objective
from engine.training.outlook import suggested_length
from engine.training.ranks import of_run as final_ranks
from engine.words import Words
from ui import cards, chart, columns, contest, devices, fit, judge, outlook, ranks, train_cards
from ui.chart import runs_ahead, waiting
from ui.forms import Form, Forms, offer, offer_one
from ui.model_tab import chosen_model, count, heading, model_name
from ui.page import Page, choices
from ui.sets import chosen_data
from ui.text import Text
from ui.training_runs import current_run, found, launch

NO_DATA = Words(
    "There is no data set to learn from yet. Create one in the step “Data” first.",
    "还没有可供学习的数据集，请先到“数据”步骤生成一个。",
)


def build(page: Page) -> None:
    t, services = page.t, page.services
    with gr.Row(elem_classes="td-columns"):
        with gr.Column(elem_classes="td-panel", min_width=320, scale=5):
            gr.HTML(heading(t, "train"), apply_default_css=False)
            subject = cards.stats("train-subject")
            gr.HTML(f"<h3>{t.html('train.objective')}</h3>", apply_default_css=False)
            objectives = cards.cards("objectives", train_cards.objectives(t, OBJECTIVES[0].key), columns="narrow")
            gr.HTML(f"<h3>{t.html('train.method')}</h3>", apply_default_css=False)
            method_cards = cards.cards(
                "methods", train_cards.methods(t, methods.METHODS[0].key, OBJECTIVES[0].key), columns="narrow"
            )
            gr.HTML(f"<h3>{t.html('train.parameters')}</h3>", apply_default_css=False)
            preset = cards.cards("presets", train_cards.presets(t), columns="narrow")
            common = Form(config.TrainingParams, t, "training")
            common.basic()
            of_objectives, of_methods = Forms(OBJECTIVES, t), Forms(methods.METHODS, t)
            of_objectives.basic()
            of_methods.basic()
            several = devices.Fields(t)
            several.front()
            with gr.Accordion(
                t("form.advanced"), open=False, elem_classes="td-fold", elem_id="train-advanced"
            ) as advanced:
                of_objectives.advanced()
                of_methods.advanced()
                common.advanced()
                several.fold()
            name = gr.Textbox(
                label=t("train.name"),
                placeholder=t("train.name_example"),
                info=t("train.name_help"),
                elem_id="run-name",
                max_lines=1,
            )
        with gr.Column(elem_classes=["td-panel", "td-live"], min_width=320, scale=6):
            plan = outlook.Panel(t)
            view = chart.run_view(t, services, "train-run")
            with gr.Row(elem_classes="td-actions"):
                start = gr.Button(t("train.start"), variant="primary", size="lg", elem_id="train-start")
                stop = gr.Button(t("train.stop"), variant="stop", size="lg", elem_id="train-stop", visible=False)
                forward = gr.Button(t("train.next"), variant="primary", size="lg", elem_id="train-next", visible=False)
            hint = gr.HTML("", elem_id="train-hint", apply_default_css=False)
            joining = gr.HTML("", elem_id="train-joining", apply_default_css=False)
            shares = ranks.view("train-ranks")
    contest.build(page)
    judge.build(page, view)

    every = [common, several.form, *of_objectives.forms.values(), *of_methods.forms.values()]
    fields = [component for form in every for component in form.components]
    named = [group for form in every for group in form.named("modules")]
    scorers = [field for form in every for field in form.named("reward_models")]
    taken_over = [objectives, method_cards, name, *of_objectives.groups, *of_methods.groups, *fields]

    def show(chosen: dict, *given: object) -> list:
        run = current_run(chosen["run"])
        shape = counts.shape_of(chosen_model(chosen["model"]).path)
        names = counts.modules(shape) if shape else []
        ticked, by = given[: len(named)], given[len(named) :]
        scoring = [(columns.run_name(t, each), str(each.path)) for each in rewards.models()]
        return [
            _subject(t, chosen),
            chart.shown(t, run.id if run else None),
            *around(run),
            *(offer(group, kept, names) for group, kept in zip(named, ticked, strict=True)),
            *(offer_one(field, kept, scoring) for field, kept in zip(scorers, by, strict=True)),
        ]

    def around(run: store.Run | None) -> list:
        """What stands around the chart of `run`."""
        return [*buttons(run), devices.joining(t, run), ranks.shown(t, final_ranks(run.path) if run else None)]

    def buttons(run: store.Run | None) -> list:
        """Start, Stop, the way on, and the sentence below, as the state of the run that is shown wants them."""
        state = run.status()["state"] if run else None
        going = state == states.QUEUED or state in states.ACTIVE
        usable = state in ("finished", "stopped")
        label = t("train.start_queue") if going else t("train.start_again") if run else t("train.start")
        sentence = "going" if going else _after(run) if usable else "new"
        return [
            gr.update(value=label, variant="secondary" if going or usable else "primary"),
            gr.update(visible=going and state != "stopping"),
            gr.update(visible=usable),
            f"<p>{t.html(f'train.hint_{sentence}')}</p>",
        ]

    def changed(event: gr.EventData) -> list:
        return around(found(event._data.get("run")))

    def choose_preset(value: dict) -> list:
        return list(presets.values(cards.selected(value)).values())

    def asked(objective: dict, method: dict, values: Sequence[object]) -> tuple[list[Form], dict[str, object]]:
        """The forms that count for what is chosen, and what their fields hold."""
        forms = [
            common,
            several.form,
            of_objectives.forms.get(cards.selected(objective)),
            of_methods.forms.get(cards.selected(method)),
        ]
        settings, at = {}, 0
        for form in every:
            part, at = values[at : at + len(form.components)], at + len(form.components)
            if form in forms:
                settings |= form.settings(part)
        return forms, settings

    def wanted(chosen: dict, objective: dict, method: dict, values: Sequence[object]) -> config.RunConfig | None:
        """The run that Start would start; None while there is no data."""
        model, data = chosen_model(chosen["model"]), chosen_data(chosen["data"])
        if data is None:
            return None
        settings = asked(objective, method, values)[1]
        return config.build(
            str(model.path), str(data.path), cards.selected(objective), cards.selected(method), settings
        )

    def foresee(chosen: dict, objective: dict, method: dict, *values: object) -> list:
        chosen = choices(chosen)
        if chosen["step"] != "train":
            return [gr.skip()] * len(plan.outputs)
        try:
            run = wanted(chosen, objective, method, values)
            return plan.shown(run) if run else plan.unknown(None)
        except TuneDeskError as error:
            data = chosen_data(chosen["data"])
            goal = next((spec for spec in OBJECTIVES if spec.key == cards.selected(objective)), None)
            return plan.unknown(error, other_data=bool(data and goal and config.wrong_data(goal, data.format)))

    def weigh(chosen: dict, objective: dict, method: dict, *values: object) -> dict:
        chosen = choices(chosen)
        if chosen["step"] != "train":
            return gr.skip()
        try:
            run = wanted(chosen, objective, method, values)
            return fit.shown(t, run) if run else {}
        except TuneDeskError:
            return {}  # said by `foresee`

    def use_length(chosen: dict) -> object:
        chosen = choices(chosen)
        data = chosen_data(chosen["data"])
        return (suggested_length(chosen_model(chosen["model"]).path, data.path) if data else None) or gr.skip()

    def seek_data(chosen: dict, objective: dict) -> dict:
        """The step Data, with the columns that the objective needs to be told there."""
        wanted = get_objective(cards.selected(objective) or "").formats[0]
        return {**choices(chosen), "step": "data", "format": wanted}

    def choose_objective(value: dict, method: dict) -> list:
        objective = cards.selected(value)
        offered = train_cards.methods(t, cards.selected(method), objective)
        return [offered, *of_objectives.show(objective), *of_methods.show(cards.selected(offered))]

    def choose_method(value: dict) -> list:
        return of_methods.show(cards.selected(value))

    def take_method(chosen: dict, objective: dict) -> list:
        """The method chosen in the step Learn; it is taken once, so that what is chosen here later stays."""
        wanted = chosen["method"]
        if wanted not in of_methods.forms:
            return [gr.skip()] * (2 + len(of_methods.groups))
        offered = train_cards.methods(t, wanted, cards.selected(objective))
        return [{**chosen, "method": None}, offered, *of_methods.show(cards.selected(offered))]

    def explain(chosen: dict, event: gr.EventData) -> dict:
        return choices({**chosen, "step": "learn", "topic": event._data.get("topic")})

    def take_over(again: str | None) -> list:
        """Everything as in the run whose id is in `again`."""
        run = found((again or "").partition(" ")[0])
        if run is None:
            return [gr.skip()] * len(taken_over)
        made = run.config
        goal, key = made["objective"], made["method"]
        given = {
            common: made["training"],
            several.form: made.get("devices", {}),
            of_objectives.forms.get(goal): made["objective_params"],
            of_methods.forms.get(key): made["method_params"],
        }
        return [
            train_cards.objectives(t, goal),
            train_cards.methods(t, key, goal),
            t("train.name_again", name=run.card["name"] or run.id),
            *of_objectives.show(goal),
            *of_methods.show(key),
            *(value for form in every for value in form.filled(given.get(form))),
        ]

    def begin(chosen: dict, again: str | None, objective: dict, method: dict, run_name: str, *values: object) -> list:
        goal, key = cards.selected(objective), cards.selected(method)
        forms, settings = asked(objective, method, values)
        chosen = choices(chosen)
        try:
            model, data = chosen_model(chosen["model"]), chosen_data(chosen["data"])
            if data is None:
                raise Unsupported(reason=NO_DATA)
            parent = (again or "").partition(" ")[0] or None
            run = launch(t, services, str(model.path), str(data.path), goal, key, settings, run_name, parent)
        except InvalidFields as error:
            gr.Warning(error.text(t.lang), title=t("train.check_fields"))
            folded = any(form.names_any(error, advanced=True) for form in forms)
            wrong = [update for form in every for update in form.problems(error)]
            return [gr.skip(), gr.skip(), gr.update(open=True) if folded else gr.skip(), *wrong]
        if runs_ahead(services, run):
            gr.Info(waiting(t, services, run), title=t("train.queued"))
        fine = [update for form in every for update in form.problems(None)]
        return [{**chosen, "run": run.id}, "", gr.skip(), *fine]

    def halt(chosen: dict) -> None:
        run = current_run(choices(chosen)["run"])
        if run:
            services.jobs.stop(run)

    page.render(
        "train",
        show,
        [subject, view, start, stop, forward, hint, joining, shares, *named, *scorers],
        [*named, *scorers],
    )
    page.render("train", take_method, [page.chosen, method_cards, *of_methods.groups], [objectives])
    private = {"api_visibility": "private", "show_progress": "hidden"}
    page.again.change(page.guarded(take_over), page.again, taken_over, **private)
    view.state(changed, None, [start, stop, forward, hint, joining, shares], queue=False, **private)
    view.state(weigh, [page.chosen, objectives, method_cards, *fields], plan.fit, queue=False, **private)
    preset.pick(choose_preset, preset, [common.component(field) for field in presets.values(None)], **private)
    objectives.pick(
        page.guarded(choose_objective),
        [objectives, method_cards],
        [method_cards, *of_objectives.groups, *of_methods.groups],
        **private,
    )
    method_cards.pick(choose_method, method_cards, of_methods.groups, **private)
    method_cards.change(cards.selected, method_cards, page.method, queue=False, trigger_mode="multiple", **private)
    for offered in (objectives, method_cards):
        offered.learn(explain, page.chosen, page.chosen, **private)
    start.click(
        page.guarded(begin),
        [page.chosen, page.again, objectives, method_cards, name, *fields],
        [page.chosen, page.again, advanced, *fields],
        **private,
    )
    plan.fit_length.click(page.guarded(use_length), page.chosen, common.component("max_length"), **private)
    fields_now = [page.chosen, objectives, method_cards, *fields]
    latest = {"trigger_mode": "always_last", "queue": False, **private}
    foreseen = gr.on(
        [page.due("train").change, objectives.change, method_cards.change, *(field.change for field in fields)],
        foresee,
        fields_now,
        plan.outputs,
        **latest,
    )
    # After it, not beside it: see `Page.due`.
    foreseen.then(weigh, fields_now, plan.fit, **latest)
    stop.click(page.guarded(halt), page.chosen, None, **private)
    plan.to_data.click(seek_data, [page.chosen, objectives], page.chosen, **private)
    forward.click(lambda chosen: {**chosen, "step": "compare"}, page.chosen, page.chosen, **private)


def _after(run: store.Run) -> str:
    """Which sentence stands below a run that has made a model: what to think of it, and where it is of use."""
    if rewards.is_model(run):
        return "scores"
    if run.status()["reward"] is not None:
        return "rewarded"
    return {"pretrain": "read", "dpo": "prefers", "kto": "prefers"}.get(run.config["objective"], "usable")


def _subject(t: Text, chosen: dict) -> list[dict]:
    """What the run would be made of."""
    model, data = chosen_model(chosen["model"]), chosen_data(chosen["data"])
    rows = t("train.subject_rows", train=f"{data.train:,}", val=f"{data.val:,}") if data else t("train.no_data_hint")
    if data and data.demo:
        rows = f"{rows} · {t('data.demo_text')}"
    return cards.figures(
        [
            cards.Fact(t("train.subject_model"), model_name(t, model), count(model.parameters)),
            cards.Fact(
                t("train.subject_data"), data.name if data else t("train.no_data"), rows, "" if data else "is-warn"
            ),
        ]
    )
