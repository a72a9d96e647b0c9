"""Step 2: data. Files are looked at, their columns get their roles, and they become a data set."""

import html
import re

import gradio as gr

from engine.data import convert, datasets, formats, tables
from engine.data.cleaning import Cleaning
from engine.data.splitting import Split
from engine.errors import InvalidFields, TuneDeskError
from engine.fields import validated
from ui import cards, hub_data, lengths, reading, sample, sets, table, uploads
from ui.draft import MAX_LENGTH, Asked, Draft, checked_format, key_of
from ui.draft import table as uploaded
from ui.findings import Findings
from ui.forms import Form
from ui.model_tab import chosen_model
from ui.page import UPLOAD_LIMIT, Page, choices, free
from ui.reading import Reading
from ui.roles import Fields
from ui.sets import chosen_data
from ui.text import Text


def build(page: Page) -> None:
    t = page.t
    split, cleaning, fields = Form(Split, t, "data"), Form(Cleaning, t, "cleaning"), Fields(t)
    sets.build(page)
    with (
        gr.Column(elem_classes="td-panel"),
        gr.Accordion(t("data.new_title"), elem_classes="td-section", elem_id="data-new") as maker,
    ):
        gr.HTML(f'<p class="td-sub">{t.html("data.new_lead")}</p>', apply_default_css=False)
        files = cards.cards("files")
        upload = uploads.dropzone(t)
        hub_data.build(page)
        facts = cards.stats("data-facts")
        notes = gr.HTML("", elem_id="data-notes", apply_default_css=False)
        read_as = Reading(t)
        search = table.search(t, "data-search")
        rows = table.table("data-rows")
        _section(t, "data.roles", "data.roles_help")
        fields.main()
        _section(t, "data.counts", "data.counts_help")
        split.basic()
        name = gr.Textbox(label=t("data.name"), elem_id="data-name", max_lines=1)
        with gr.Accordion(t("sample.title"), open=False, elem_classes="td-fold", elem_id="data-sample"):
            seen = sample.sample("sample")
        with gr.Accordion(t("columns.title"), open=False, elem_classes="td-fold", elem_id="data-columns") as glance:
            statistics = table.glance("columns")
        with gr.Accordion(t("lengths.title"), open=False, elem_classes="td-fold", elem_id="data-lengths") as measure:
            limit = gr.Number(
                MAX_LENGTH, label=t("lengths.limit"), info=t("lengths.limit_help"), step=1, elem_id="lengths-limit"
            )
            measured = lengths.view("lengths")
        with gr.Accordion(t("data.cleaning"), open=False, elem_classes="td-fold", elem_id="data-cleaning") as scrub:
            gr.HTML(f'<p class="td-sub">{t.html("data.cleaning_help")}</p>', apply_default_css=False)
            cleaning.basic()
            cleaning.advanced()
            found = Findings(page)
        with gr.Accordion(t("form.advanced"), open=False, elem_classes="td-fold", elem_id="data-advanced") as advanced:
            format = gr.Dropdown(
                label=t("data.format"),
                choices=[(t.of(each.label), each.key) for each in formats.FORMATS],
                value=formats.FORMATS[0].key,
                interactive=True,
                elem_id="data-format",
            )
            fields.further()
            split.advanced()
            stratify = gr.Dropdown(
                label=t("data.stratify"), info=t("data.stratify_help"), interactive=True, elem_id="data-stratify"
            )
        with gr.Row(elem_classes="td-actions"):
            make = gr.Button(t("data.convert"), variant="primary", size="lg", elem_id="data-convert")
        progress_line = gr.HTML("", elem_id="data-progress", apply_default_css=False)
    with gr.Row(elem_classes="td-next", visible=False) as ready:
        gr.HTML(f"<p>{t.html('data.next_hint')}</p>", apply_default_css=False)
        forward = gr.Button(t("data.next"), variant="primary", size="lg", elem_id="data-next")

    draft = Draft(page, read_as, format, limit, fields, cleaning)
    read = draft.read

    def show_ready(chosen: dict, shown: dict) -> list:
        data = chosen_data(chosen["data"])
        # Who has just brought another table is about to make a data set of it.
        fresh = shown.get("file") not in (None, _showing(chosen))
        return [
            gr.update(visible=data is not None),
            gr.update(variant="secondary" if data and not chosen["format"] and not fresh else "primary"),
            gr.skip() if fresh and not chosen["format"] else gr.update(open=data is None or bool(chosen["format"])),
        ]

    def show_file(chosen: dict, shown: dict, *open_views: dict) -> list:
        """The files that are chosen; nothing changes while they are the ones on the page already."""
        if shown.get("file") == _showing(chosen):
            return [gr.skip()] * len(of_file)
        try:
            return inspect(chosen, *open_views)
        except TuneDeskError as error:
            # A file remembered from before that is gone or damaged now.
            gr.Warning(error.text(t.lang))
            return inspect(chosen | {"file": None, "format": None}, *open_views)

    def inspect(chosen: dict, looked: dict, counted: dict, *said: object) -> list:
        """The views of files, read as was `said`; by default as it is found."""
        said = reading.checked(said or [""] * len(read_as.components))
        key, source = key_of(chosen), uploaded(chosen, *said)
        told = tables.look(source)
        wanted = choices(chosen)["format"]
        mapping, form = told["mapping"], checked_format(wanted or told["suits"])
        given = Asked(source, form, mapping, Cleaning(), chosen_model(choices(chosen)["model"]), MAX_LENGTH)
        fits = not formats.missing(form, mapping)
        return [
            uploads.offered(t, key),
            cards.figures(_facts(t, told)),
            _notes(t, told, wanted),
            f"{key} {said}",
            *read_as.shown(told, said),
            table.page(t, source, mapping=mapping) | {"file": _showing(chosen)},
            table.statistics(t, source) if looked else {},
            form,
            _free_name(t("data.demo_set") if key == uploads.DEMO else re.sub(r"\.[^.]*$", "", key.split("/")[0])),
            gr.update(choices=[(t("roles.none"), ""), *((each, each) for each in source.columns)], value=""),
            sample.of_table(t, given) if fits else {},
            lengths.charts(t, given) if counted and fits else {},
            {},
            {},
            *fields.suggested(source.columns, mapping, form),
        ]

    def choose_file(value: dict, chosen: dict) -> dict:
        return {**chosen, "file": cards.selected(value)}

    def take(chosen: dict, event: gr.EventData) -> dict:
        return {**chosen, "file": uploads.take(event._data.get("paths"))}

    def refuse(event: gr.EventData) -> None:
        gr.Warning(t("data.refused", name=event._data.get("name"), limit=UPLOAD_LIMIT), title=t("app.error"))

    def turn(event: gr.EventData, shown: dict, *files: object) -> dict:
        value = table.page(t, uploaded(*files), **table.wanted(event))
        return value | {"file": _showing(files[0]), "columns": shown.get("columns") or value["columns"]}

    def follow(seen: dict, counted: dict, found_before: dict, shown: dict, *values: object) -> list:
        """The views after a field has changed."""
        try:
            given = read(*values)
        except TuneDeskError as error:
            return [sample.problem(t, error), {}, {}, {}, gr.skip()]
        columns = table.marked(t, given.source.columns, given.mapping)
        return [
            sample.of_table(t, given, seen.get("row") or 0),
            lengths.charts(t, given) if counted else {},
            *found.followed(given, found_before),
            shown | {"columns": columns} if shown.get("columns") != columns else gr.skip(),
        ]

    def follow_model(chosen: dict, seen: dict, counted: dict, shown: dict, *values: object) -> list:
        """Another model has another tokenizer."""
        model = str(chosen_model(chosen["model"]).path)
        if seen.get("model") in (None, model) or shown.get("file") != _showing(chosen):
            return [gr.skip(), gr.skip()]
        return follow(seen, counted, {}, shown, *values)[:2]

    def turn_sample(event: gr.EventData, *values: object) -> dict:
        return sample.of_table(t, read(*values), int(event._data.get("row") or 0))

    def choose_form(format: str, *values: object) -> list[dict]:
        return fields.shown(list(values), checked_format(format))

    def prepare(progress: gr.Progress = gr.Progress(), *values: object) -> list:  # noqa: B008
        title, strata, *values = values
        at = len(split.components)
        try:
            parts = validated(Split, split.settings(values[:at]))
            given = read(*values[at:])
        except InvalidFields as error:
            gr.Warning(error.text(t.lang), title=t("train.check_fields"))
            wrong_cleaning = [cleaning.names_any(error, advanced=each) for each in (True, False)]
            unfold = [
                gr.update(open=True) if wrong else gr.skip()
                for wrong in (split.names_any(error, advanced=True), any(wrong_cleaning))
            ]
            return [*[gr.skip()] * 2, "", *unfold, *split.problems(error), *cleaning.problems(error)]
        chosen, name = choices(values[at]), title.strip()
        convert.convert(
            uploads.paths(key_of(chosen)),
            datasets.place(name),
            mapping=given.mapping,
            format=given.format,
            told=reading.told(values[at + 1 : at + len(draft.files)]),
            cleaning=given.cleaning,
            stratify=strata or None,
            progress=lambda done, total: progress((done, total), t("data.converting"), unit="B"),
            **parts.model_dump(),
        )
        gr.Success(t("data.converted", name=name), title=t("app.done"))
        fine = [*split.problems(None), *cleaning.problems(None)]
        return [{**chosen, "data": name, "format": None}, _free_name(name), "", gr.skip(), gr.skip(), *fine]

    of_file = [
        files,
        facts,
        notes,
        search,
        read_as.fold,
        *read_as.components,
        rows,
        statistics,
        format,
        name,
        stratify,
        seen,
        measured,
    ]
    of_file += [found.list, found.rows, *fields.components]
    page.render("data", show_ready, [ready, make, maker], [rows])
    of_its_file = page.render("data", show_file, of_file, [rows, statistics, measured])
    page.render("data", follow_model, [seen, measured], [seen, measured, rows, *draft.components], of_its_file)
    private = {"api_visibility": "private", "show_progress": "hidden"}
    latest = private | {"trigger_mode": "always_last"}
    files.pick(page.guarded(choose_file), [files, page.chosen], page.chosen, **private)
    upload.uploaded(page.guarded(take), page.chosen, page.chosen, **private)
    upload.refused(refuse, None, None, **private)
    gr.on(
        [component.input for component in read_as.components],
        page.guarded(inspect),
        [page.chosen, statistics, measured, *read_as.components],
        of_file,
        **private,
    )
    for turning in (rows.turn, search.turn):
        turning(page.guarded(turn), [rows, *draft.files], rows, **latest)
    glance.expand(
        page.guarded(lambda *values: table.statistics(t, uploaded(*values))), draft.files, statistics, **private
    )
    measure.expand(
        page.guarded(lambda *values: lengths.charts(t, read(*values))), draft.components, measured, **private
    )
    views = [seen, measured, found.list, rows]
    gr.on(
        [component.input for component in draft.followed],
        page.guarded(follow),
        [*views, *draft.components],
        [seen, measured, found.list, found.rows, rows],
        **latest,
    )
    gr.on(
        [format.input, fields.component("messages").input],
        page.guarded(choose_form),
        [format, *fields.components],
        fields.components,
        **private,
    )
    seen.turn(page.guarded(turn_sample), draft.components, seen, **latest)
    found.wire(draft)
    make.click(
        page.guarded(prepare),
        [name, stratify, *split.components, *draft.components],
        [page.chosen, name, progress_line, advanced, scrub, *split.components, *cleaning.components],
        show_progress_on=progress_line,
        api_visibility="private",
    )
    forward.click(lambda chosen: {**chosen, "format": None, "step": "train"}, page.chosen, page.chosen, **private)


def _section(t: Text, title: str, help: str) -> None:
    gr.HTML(f'<h3>{t.html(title)}</h3><p class="td-sub">{t.html(help)}</p>', apply_default_css=False)


def _facts(t: Text, told: dict) -> list[cards.Fact]:
    return [
        cards.Fact(t("data.rows"), f"{told['rows']:,}"),
        cards.Fact(t("data.columns"), str(len(told["columns"]))),
        cards.Fact(t("data.file_format"), str(told["format"]).upper()),
    ]


def _showing(chosen: dict) -> str:
    """What the views of files stand for: the files, and the form that is asked for."""
    return f"{key_of(chosen)} {choices(chosen)['format'] or ''}"


def _notes(t: Text, told: dict, wanted: str | None) -> str:
    """What was found out about a file, what looks wrong with it, and which form of data is asked for."""
    said = [("info", t("data.wanted", form=t.of(formats.get(wanted).label)))] if wanted else []
    said += [(kind, words[t.lang]) for kind, key in (("bad", "problems"), ("info", "notes")) for words in told[key]]
    lines = "".join(f'<p class="td-message is-{kind}">{html.escape(words)}</p>' for kind, words in said)
    return f'<div class="td-messages">{lines}</div>' if lines else ""


def _free_name(name: str) -> str:
    """A name for a data set that none has, from that of a file."""
    taken = {each.name for each in datasets.data_sets()}
    return free(re.sub(r'[/\\:*?"<>|]', "-", name.removesuffix("-")).strip().lstrip(".") or "data", taken.__contains__)
