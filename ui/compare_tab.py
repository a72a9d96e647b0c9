"""Step 4: compare. One question, two to four answers side by side: before and after, or any models, with the same seed."""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing

import gradio as gr

from engine.compare import conversations
from engine.compare.conversations import MOST_COLUMNS, Conversation, Turn
from engine.compare.settings import GenerationParams
from engine.errors import InvalidFields, NotFound, TuneDeskError
from engine.fields import validated
from engine.runs import store
from engine.training import rewards
from ui import answers, columns, questions, stage, ten, votes
from ui.columns import Column
from ui.forms import Form
from ui.model_tab import heading
from ui.page import GENERATION, Page
from ui.text import Text

EXAMPLES = 5


def build(page: Page) -> None:
    t, services = page.t, page.services
    form = Form(GenerationParams, t, "generation")
    with gr.Column(elem_classes="td-panel"):
        gr.HTML(heading(t, "compare"), apply_default_css=False)
        with gr.Column(elem_id="compare-empty", visible=False) as nothing:
            gr.HTML(f'<p class="td-empty">{t.html("compare.no_runs")}</p>', apply_default_css=False)
            to_train = gr.Button(t("compare.to_train"), variant="primary", elem_id="compare-to-train")
        with gr.Column() as asking:
            with gr.Row(elem_classes="td-halves"):
                run = gr.Dropdown(label=t("compare.run"), elem_id="compare-run", interactive=True, filterable=True)
                history = gr.Dropdown(label=t("compare.history"), elem_id="compare-history", interactive=True)
            question = gr.Textbox(
                label=t("compare.question"),
                placeholder=t("compare.question_example"),
                lines=2,
                max_lines=8,
                elem_id="compare-question",
            )
            goes_on = gr.Checkbox(
                False,
                label=t("compare.goes_on"),
                info=t("compare.goes_on_help"),
                visible=False,
                elem_id="compare-goes-on",
            )
            chips = gr.HTML(
                {},
                html_template="${TuneDesk.draw.chips(value)}",
                js_on_load="TuneDesk.chips(element, trigger); // 'pick'",
                elem_id="compare-examples",
                apply_default_css=False,
            )
            with gr.Accordion(t("compare.columns"), open=False, elem_classes="td-fold", elem_id="compare-columns"):
                gr.HTML(f'<p class="td-sub">{t.html("compare.columns_help")}</p>', apply_default_css=False)
                with gr.Row(elem_classes="td-fields"):
                    chosen = [
                        gr.Dropdown(
                            label=t("compare.column", n=n + 1), elem_id=f"compare-column-{n + 1}", interactive=True
                        )
                        for n in range(MOST_COLUMNS)
                    ]
            with gr.Accordion(
                t("compare.settings"), open=False, elem_classes="td-fold", elem_id="compare-settings"
            ) as fold:
                system = gr.Textbox(
                    "",
                    label=t("compare.system"),
                    info=t("compare.system_help"),
                    lines=2,
                    max_lines=6,
                    elem_id="compare-system",
                )
                form.basic()
                form.advanced()
                reward = gr.Dropdown(
                    label=t("compare.scorer"),
                    info=t("compare.scorer_help"),
                    elem_id="compare-reward",
                    interactive=True,
                    visible=False,
                )
            with gr.Row(elem_classes="td-actions"):
                ask = gr.Button(t("compare.ask"), variant="primary", size="lg", elem_id="compare-ask")
                stop = gr.Button(t("compare.stop"), variant="stop", size="lg", elem_id="compare-stop", visible=False)
    live = answers.panel(t, "compare-live")
    thread = answers.panel(t, "compare-thread")
    demo = gr.HTML("", elem_id="compare-demo", apply_default_css=False)
    with gr.Column(elem_id="compare-further") as further:
        ten.build(page, run, chosen, goes_on, system, form)
        votes.build(page, run)
        stage.build(page, run, chosen)

    def show(place: dict, by: str | None, before: str | None, *picked: str | None) -> list:
        """Who comes back to the run `before` finds the question, the models and the conversation as they were left."""
        runs = columns.comparable()
        if runs:
            services.warm_up()
        current = next((r for r in runs if r.id == place["run"]), next(iter(runs), None))
        listed = gr.update(
            choices=[(columns.run_name(t, r), r.id) for r in runs], value=current.id if current else None
        )
        any_runs = [gr.update(visible=bool(runs)) for _ in range(3)]
        scoring = _scorers(t, by)
        offers = left(current, picked) if current and current.id == before else offer(current.id if current else None)
        return [gr.update(visible=not runs), *any_runs, scoring, listed, *offers]

    def left(run: store.Run, picked: Sequence[str | None]) -> list:
        """As `offer`, with nothing changed but which models there are."""
        return [*[gr.skip()] * 4, *among(run, picked), *[gr.skip()] * 3]

    def among(run: store.Run | None, names: Sequence[str | None]) -> list:
        """The columns with every model that there is to choose, and of `names` those that there are chosen."""
        models = [(t("compare.no_model"), ""), *columns.offered(t, run)]
        there = {name for _, name in models}
        return [gr.update(choices=models, value=name if name in there else "") for name in names]

    def offer(id: str | None, start: int = 0) -> list:
        """A run's examples, the first of them in the box, its history, its two usual columns, and nothing asked yet."""
        found = _found(id)
        asked, unseen = questions.offered(found, EXAMPLES, start) if found else ([], True)
        text = found is not None and conversations.goes_on(found)
        kind = "examples_seen" if not unseen else "beginnings" if text else "examples"
        value = {"label": t(f"compare.{kind}"), "more": t("compare.more"), "chips": asked, "start": start}
        listed = among(found, columns.usual(found))
        made_up = f'<p class="td-disclaimer">{t.html("compare.demo")}</p>' if found and questions.is_demo(found) else ""
        box = gr.update(value=text, visible=text)
        return [value, asked[0] if asked else "", made_up, box, *listed, *_opened(t, found, None), {}]

    def pick(event: gr.EventData, value: dict, id: str, said: str, *picked: str | None) -> list:
        """A held-out question, or other ones. It stands on its own: what was said before would change its answers."""
        index = event._data.get("index", 0)
        if index == -1:
            start = int(value.get("start", 0)) + EXAMPLES
            asked, _ = questions.offered(store.here(id), EXAMPLES, start)
            return [value | {"chips": asked, "start": start}, asked[0] if asked else "", *recast(id, said, *picked)]
        return [gr.skip(), value["chips"][index], *recast(id, said, *picked)]

    def open_kept(id: str, kept: str) -> list:
        """A conversation of the history, with its columns and its instructions."""
        found = _found(id)
        if found is None:
            return [gr.skip()] * (6 + MOST_COLUMNS)
        conversation = conversations.load(found, kept) if kept else None
        names = conversation.models if conversation else columns.usual(found)
        names = [*names, *[""] * MOST_COLUMNS][:MOST_COLUMNS]
        system, text = (
            (conversation.system, conversation.goes_on) if conversation else ("", conversations.goes_on(found))
        )
        return [*_opened(t, found, conversation), {}, system, text, *names, ""]

    def edit(id: str, kept: str, event: gr.EventData) -> list:
        """A question back in the box: what follows it is left to the conversation as it was, which stays in the history."""
        found = store.here(id)
        whole = conversations.load(found, kept)
        place = max(0, min(int(event._data.get("turn", 0)), len(whole.turns) - 1))
        begun = conversations.keep(found, whole.fork(place)) if place else None
        return [whole.turns[place].question, *_opened(t, found, begun), {}]

    def recast(id: str, said: str, *picked: str | None) -> list:
        """Another conversation begins: with other models, other instructions, a question that stands on its own."""
        found = _found(id)
        names = [name for name in picked if name]
        empty = answers.shown(t, found, Conversation(names, said)) if found else {}
        return ["", empty, {}]

    def ask_for(text: bool) -> dict:
        """What is wanted in the box: a question, or the beginning of a text."""
        kind = "beginning" if text else "question"
        return gr.update(label=t(f"compare.{kind}"), placeholder=t(f"compare.{kind}_example"))

    def answer(
        id: str, kept: str, by: str | None, asked: str, text: bool, said: str, *values: object
    ) -> Iterator[list]:
        found = _found(id)
        picked, values = list(values[:MOST_COLUMNS]), values[MOST_COLUMNS:]
        fine, untouched = form.problems(None), [gr.skip()] * len(form.components)
        try:
            settings = form.settings(values)
            params = validated(GenerationParams, {k: v for k, v in settings.items() if v is not None})
        except InvalidFields as error:
            gr.Warning(error.text(t.lang), title=t("train.check_fields"))
            yield [*[gr.skip()] * 5, gr.update(open=True), *form.problems(error)]
            return
        if found is None or not asked.strip():
            gr.Warning(t("compare.empty_question"), title=t("app.notice"))
            yield [*[gr.skip()] * 6, *untouched]
            return
        titled = columns.columns(t, found, picked)
        conversation = Conversation([column.name for column in titled], said.strip(), goes_on=bool(text))
        if kept:
            before = conversations.load(found, kept)
            conversation = before if before.fork(0) == conversation else conversation
        for update in _asked(t, services, found, conversation, titled, asked.strip(), params, by):
            yield [*update, gr.skip(), *fine]
            fine = untouched

    def again(id: str, kept: str, by: str | None) -> Iterator[list]:
        """The last question once more, with the next seed; the answers so far stay in the history."""
        found = store.here(id)
        whole = conversations.load(found, kept)
        last = whole.turns[-1]
        params = validated(GenerationParams, {**last.settings, "seed": last.settings["seed"] + 1})
        titled = columns.columns(t, found, whole.models)
        begun = whole.fork(len(whole.turns) - 1)
        yield from _asked(t, services, found, begun, titled, last.question, params, by)

    def ended(growing: dict) -> list:
        """However it ended: Ask is back, and no answer looks as if it went on."""
        return [gr.update(visible=True), gr.update(visible=False), {} if growing else gr.skip()]

    shown = [history, thread, live]
    offered = [chips, question, demo, goes_on, *chosen, *shown]
    page.render("compare", show, [nothing, asking, further, thread, reward, run, *offered], [reward, run, *chosen])
    private = {"api_visibility": "private", "show_progress": "hidden"}
    run.input(page.guarded(offer), run, offered, **private)
    chips.pick(page.guarded(pick), [chips, run, system, *chosen], [chips, question, *shown], **private)
    history.input(page.guarded(open_kept), [run, history], [*shown, system, goes_on, *chosen, question], **private)
    thread.edit(page.guarded(edit), [run, history], [question, *shown], **private)

    goes_on.change(ask_for, goes_on, question, queue=False, **private)
    for box in (*chosen, goes_on):
        box.input(page.guarded(recast), [run, system, *chosen], shown, **private)
    thread.fresh(page.guarded(recast), [run, system, *chosen], shown, **private)
    going = [ask, stop, live, thread, history]
    generating = {"concurrency_id": GENERATION, "concurrency_limit": 4, **private}
    asked = gr.on(
        [ask.click, question.submit],
        page.guarded(answer),
        [run, history, reward, question, goes_on, system, *chosen, *form.components],
        [*going, fold, *form.components],
        **generating,
    )
    repeated = thread.again(page.guarded(again), [run, history, reward], going, **generating)
    for event in (asked, repeated):
        event.then(ended, live, [ask, stop, live], **private)
    stop.click(page.guarded(services.chat.stop), None, None, queue=False, **private)
    to_train.click(lambda place: {**place, "step": "train"}, page.chosen, page.chosen, **private)


def _asked(
    t: Text,
    services,
    run: store.Run,
    conversation: Conversation,
    titled: list[Column],
    question: str,
    params: GenerationParams,
    by: str | None,
) -> Iterator[list]:
    """Ask every column; updates of Ask, Stop, the growing turn, the thread and the history as the answers come. The reward
    model of the run `by`, if one is chosen, scores the answers. However it ends, what was said is kept."""
    reference = questions.expected(run, question)
    growing = answers.Growing(t, titled, question, reference)
    earlier = answers.shown(t, run, conversation, idle=False)
    yield [gr.update(visible=False), gr.update(visible=True), growing.value(), earlier, gr.skip()]
    pace, failed = answers.Pace(), None
    messages = [conversation.messages(place, question) for place in range(len(titled))]
    try:
        # Closed also when the person leaves the page: nobody waits for the rest then.
        with closing(services.chat.compare(conversation.models, messages, **params.model_dump())) as events:
            for event in events:
                growing.take(event)
                if "finish_reason" in event or pace.due():
                    yield [gr.skip(), gr.skip(), growing.value(), gr.skip(), gr.skip()]
        whole = growing.whole()
        if by and whole and not conversation.goes_on:
            said = [[*messages[at], {"role": "assistant", "content": growing.answers[at]["text"]}] for at in whole]
            for at, score in zip(whole, services.chat.scores(by, said), strict=True):
                growing.answers[at]["reward"] = score
    except TuneDeskError as error:
        failed = error
    finally:
        if any(said["text"] for said in growing.answers):
            growing.end()
            turn = Turn(question, growing.answers, params.model_dump(mode="json"), reference)
            conversation = conversations.keep(run, conversation.with_turn(turn))
    listed, whole = _opened(t, run, conversation if conversation.id else None)
    yield [gr.skip(), gr.skip(), {}, whole, listed]
    if failed is not None:
        raise failed


def _scorers(t: Text, by: str | None) -> dict:
    """The reward models that can score answers; `by` is what was chosen, None where nobody chose: then the newest."""
    offered = [(t("compare.no_scorer"), ""), *((columns.run_name(t, run), run.id) for run in rewards.models())]
    ids = [id for _, id in offered]
    chosen = by if by in ids else next(iter(ids[1:]), "")
    return gr.update(choices=offered, value=chosen, visible=len(ids) > 1)


def _found(id: str | None) -> store.Run | None:
    """The run a page names; None where it names none, or one that is gone."""
    try:
        return store.here(id) if id else None
    except NotFound:
        return None


def _opened(t: Text, run: store.Run | None, conversation: Conversation | None) -> list:
    """The history with `conversation` chosen in it, and its turns; without one, a new conversation."""
    if run is None:
        return [gr.update(choices=[], value=None), {}]
    kept = [(_title(conversation), conversation.id) for conversation in conversations.listed(run)]
    listed = [(t("compare.new"), ""), *kept]
    fresh = Conversation([name for name in columns.usual(run) if name])
    value = conversation.id if conversation else ""
    return [gr.update(choices=listed, value=value), answers.shown(t, run, conversation or fresh)]


def _title(conversation: Conversation) -> str:
    when = time.strftime("%m-%d %H:%M", time.localtime(conversation.created))
    question = conversation.turns[-1].question if conversation.turns else ""
    return f"{when} · {question[:40]}{'…' if len(question) > 40 else ''}"
