"""Answers that overtake one another: what polls shows the newest of what it asks for now, and each thing once.

The page's own scripts run in a browser, on a server of the test's: `asked` holds what they asked for, till it is answered.
"""

from collections.abc import Callable, Iterator

import pytest

from tests.e2e.conftest import PATIENCE, ROOT
from ui import overlay, run_log, runs_tab, theme

_HARNESS = """
([component, skeleton, value]) => {
  document.body.innerHTML = `<div>${skeleton}</div>`;
  const props = { value }, asked = [];
  const server = new Proxy({}, { get: () => (what) => new Promise((answer) => asked.push([what, answer])) });
  Object.assign(window, { props, asked, drawn: null });
  TuneDesk.every = (element, ms, work) => Object.assign(window, { poll: work });
  TuneDesk.plotly = async () => ({ react: async (chart, traces) => { window.drawn = traces.map(({ x, y }) => [x, y]); } });
  const watch = (name, then) => Object.assign(window, { changed: then });
  const given = { runlist: [server, () => {}, watch] }[component] ?? [server, watch];
  TuneDesk[component](document.body.firstChild, props, ...given);
}
"""


@pytest.fixture
def page(browser) -> Iterator[object]:
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    failed = []
    page.on("pageerror", lambda error: failed.append(error))
    page.set_content("<body></body>")
    for script in theme._SCRIPTS:
        page.add_script_tag(path=ROOT / "assets" / script)
    yield page
    page.close()
    assert failed == []


@pytest.fixture
def answer(page) -> Callable[[int, object], None]:
    """Answers the question with a number, and waits till the page has taken it."""

    def answer(number: int, told: object) -> None:
        page.evaluate(
            "async ([number, told]) => { asked[number][1](told); await new Promise((done) => setTimeout(done)); }",
            [number, told],
        )

    return answer


def asked(page) -> list[dict]:
    return page.evaluate("asked.map(([what]) => what)")


def test_the_log_tells_each_event_once_and_of_the_run_that_is_open(page, answer):
    def told(seq: int, size: int, text: str) -> dict:
        return {"seq": seq, "size": size, "events": [["12:00", "phase", text]], "tail": f"printed by {text}"}

    page.evaluate(_HARNESS, ["log", run_log._SKELETON, {"run": "a", "words": {"silent": ""}}])
    page.evaluate("void poll()")
    assert asked(page) == [{"run": "a", "seq": 0, "size": -1}] * 2
    answer(1, told(3, 30, "newer"))
    answer(0, told(1, 10, "older"))
    assert page.locator("li").all_inner_texts() == ["12:00newer"]
    assert page.inner_text("pre") == "printed by newer"

    page.evaluate("void poll(); props.value = { ...props.value, run: 'b' }; changed()")
    assert asked(page)[2:] == [{"run": "a", "seq": 3, "size": 30}, {"run": "b", "seq": 0, "size": -1}]
    answer(3, told(1, 10, "another"))
    answer(2, told(4, 40, "late"))
    assert page.locator("li").all_inner_texts() == ["12:00another"]
    assert page.inner_text("pre") == "printed by another"


def test_runs_laid_over_each_other_keep_their_points_and_the_metric_that_was_asked_for(page, answer):
    def told(cursor: str, x: list[int], reset: bool = False) -> dict:
        return {run: {"cursor": cursor, "reset": reset, "x": x, "y": x} for run in "ab"}

    value = {"runs": [["a", "A"], ["b", "B"]], "metrics": [["loss", "Loss"], ["eval_loss", "Validation"]]}
    value |= {"table": {}, "words": {"title": "", "step": ""}}
    page.evaluate(_HARNESS, ["overlay", overlay._SKELETON, value])

    def lines() -> list:
        return page.evaluate("drawn.map(([x]) => x)")

    page.evaluate("void poll()")
    assert [each["cursors"] for each in asked(page)] == [{"a": "", "b": ""}] * 2
    answer(1, told("2", [1, 2], reset=True))
    answer(0, told("1", [1], reset=True))
    assert lines() == [[1, 2]] * 2
    page.evaluate("void poll(); void poll()")
    for number in (3, 2):
        answer(number, told("3", [3]))
    assert lines() == [[1, 2, 3]] * 2

    page.evaluate("void poll()")
    page.click("[data-metric=eval_loss]")
    assert [each["metric"] for each in asked(page)[4:]] == ["loss", "eval_loss"]
    answer(5, told("1", [3], reset=True))
    answer(4, told("4", [4]))
    assert lines() == [[3]] * 2


def test_the_list_of_runs_shows_what_is_searched_for_now(page, answer):
    words = dict.fromkeys(["created", "state", "state_text", "state_note", "loss", "best", "model", "data"], "")
    words |= {"method": "", "objective": "", "time": "", "tags": [], "curve": [], "mark": "m"}

    def told(order: str, fresh: str = "") -> dict:
        return {"order": [*order], "rows": {run: words | {"name": run} for run in fresh}, "count": "", "empty": ""}

    page.evaluate(_HARNESS, ["runlist", runs_tab._SKELETON, {"opened": None, "columns": [], "words": {"search": ""}}])

    def listed() -> list[str]:
        return page.locator("tr[data-row] td:nth-child(2) b").all_inner_texts()

    page.evaluate("void poll()")
    answer(0, told("ab", fresh="ab"))
    assert listed() == ["a", "b"]
    page.evaluate("void poll()")
    page.fill("[data-part=search]", "a")
    answer(2, told("a"))
    page.fill("[data-part=search]", "")
    # It was asked while both were shown, and names only what has changed since.
    answer(1, told("ab"))
    assert asked(page)[3] == {"query": "", "known": {"a": "m"}}
    answer(3, told("ab", fresh="b"))
    assert listed() == ["a", "b"]
