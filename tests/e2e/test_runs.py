"""The runs tab by clicking: the list and its search, runs side by side, an opened run's sections, and what can be done; and
pages that come and go while a run goes on."""

import re

import pytest

from engine import home
from engine.data import convert
from engine.runs import store
from engine.runs.events import Events
from engine.runs.status import Writer
from engine.training import config as configs

NASTY = "<img src=x onerror=document.title='caught'> ${document.title='caught'}"


@pytest.fixture
def runs(app, tmp_path, monkeypatch) -> dict[str, store.Run]:
    """Three runs that ended, in the workspace of `app`."""
    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path / "workspace"))
    data = home.folder("data") / "medical"
    convert.convert([home.DEMO_DATA], data, train=40, val=8)

    def ended(name: str, rate: float, state: str, **more: float) -> store.Run:
        config = configs.build(str(home.DEMO_MODEL), str(data), settings={"learning_rate": rate, "r": 4})
        run = store.create(config.model_dump(mode="json"), name=name)
        writer = Writer(run.path)
        with Events(run.path / "events.jsonl") as events:
            writer.take(events.write("phase", phase="training", max_steps=60, rows=40))
            for step in range(1, 61):
                writer.take(events.write("step", step=step, epoch=step / 30, loss=4 / (1 + step * rate), **more))
                if step % 20 == 0:
                    writer.take(events.write("eval", step=step, eval_loss=4 / (1 + step * rate) + 0.1))
                    folder = run.path / "checkpoints" / f"checkpoint-{step}"
                    folder.mkdir(parents=True)
                    (folder / "trainer_state.json").write_text("{}")
                    events.write("checkpoint", step=step)
        (run.path / "worker.log").write_text(f"printed by {name}\n")
        writer.update(state=state, seconds=61.0)
        assert writer.settle()
        return run

    return {
        "slow": ended("Slow", 0.01, "stopped"),
        "fast": ended("Fast", 0.1, "finished"),
        "nasty": ended(NASTY, 0.05, "failed", reward=0.5),
    }


def row(name: str) -> str:
    return f'#runs tr[data-row]:has-text("{name}")'


@pytest.mark.timeout(900)
def test_a_list_to_search_to_compare_and_to_open(visit, runs):
    at = visit("en")
    page = at.page
    at.go("runs")
    page.wait_for_selector(f"{row('Fast')} polyline")
    at.expect("#runs tr[data-row]").to_have_count(3)
    page.fill("#runs [data-part=search]", "slow lora")
    page.wait_for_function("document.querySelectorAll('#runs tr[data-row]').length === 1")
    page.fill("#runs [data-part=search]", "nothing like it")
    page.wait_for_selector("#runs .td-empty:not([hidden])")
    page.fill("#runs [data-part=search]", "")
    page.wait_for_selector(row("Fast"))

    for name in ("Slow", "Fast"):
        page.click(f"{row(name)} [data-check]")
    page.wait_for_selector("#runs-overlay .scatterlayer .trace >> nth=1")
    differs = page.inner_text("#runs-overlay [data-part=table]")
    assert "Learning rate" in differs and "0.01" in differs and "Rank" not in differs
    page.click("#runs-overlay [data-metric=eval_loss]")
    page.wait_for_selector("#runs-overlay .scatterlayer .points path")
    at.shot("runs-overlay")

    page.click(row("onerror"))
    page.wait_for_selector("#runs-run [data-metric=reward].is-on")
    page.click("#runs-run [data-metric=loss]")
    page.wait_for_selector("#runs-run .scatterlayer .trace")
    page.click("#section-log-button")
    page.wait_for_selector("#run-log li >> text=Validation at step 60")
    assert "printed by" in page.inner_text("#run-log pre")
    assert page.title() != "caught"
    at.shot("runs-opened")


@pytest.mark.timeout(900)
def test_names_settings_checkpoints_and_deleting(visit, runs):
    at = visit("zh")
    page = at.page
    at.go("runs")
    page.click(row("Slow"))
    page.wait_for_selector("#runs-run .scatterlayer .trace")

    page.click("#section-card-button")
    # What the run is called comes into the fields once they are there.
    page.wait_for_function("document.querySelector('#run-rename textarea, #run-rename input')?.value === 'Slow'")
    page.fill("#run-rename textarea, #run-rename input", "慢的")
    page.fill("#run-tags textarea, #run-tags input", "基线，试验")
    page.fill("#run-note textarea", NASTY)
    page.click("#run-card-save")
    page.wait_for_selector(f"{row('慢的')} .td-tags i >> text=基线")
    assert runs["slow"].card["tags"] == ["基线", "试验"] and runs["slow"].card["note"] == NASTY

    page.click("#section-checkpoints-button")
    page.wait_for_selector("#run-checkpoints tbody tr >> nth=2")
    at.expect("#run-checkpoints tbody tr").to_have_count(3)
    at.expect("#run-from input").to_have_value(re.compile("60 步$"))

    page.click("#section-settings-button")
    page.wait_for_selector("#run-settings dd >> text=0.01")
    page.click("#run-again")
    page.wait_for_selector("#train-subject .td-stat")
    at.expect("#training-learning_rate input, #training-learning_rate textarea").to_have_value("0.01")
    at.expect("#lora-r input").to_have_value("4")
    at.expect("#run-name input, #run-name textarea").to_have_value(re.compile("^慢的"))

    at.go("runs")
    page.wait_for_selector("#runs-delete")
    page.click("#runs-delete")
    page.click("#runs-delete-yes")
    page.wait_for_selector(row("慢的"), state="detached")
    assert not runs["slow"].path.exists()


@pytest.mark.timeout(900)
def test_the_life_of_a_run(visit, tmp_path, monkeypatch):
    """Two wait behind one that trains: moved, taken out; stopped, gone on with from a checkpoint, stopped at once."""
    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path / "workspace"))
    convert.convert([home.DEMO_DATA], home.folder("data") / "medical", train=40, val=8)
    at = visit("en")
    page = at.page

    def state(name: str, said: str) -> None:
        page.wait_for_selector(f"{row(name)} >> text={said}")

    at.go("train")
    page.wait_for_selector("#train-subject .td-stat")
    page.fill("#training-num_train_epochs input", "500")
    for name in ("First", "Second", "Third"):
        page.fill("#run-name input, #run-name textarea", name)
        page.click("#train-start")
        page.wait_for_selector(f"#train-run:has-text('{name}')")
    at.go("runs")
    page.click(row("Third"))
    state("Third", "number 2 in the queue")
    page.click("#runs-sooner")
    state("Third", "number 1 in the queue")
    page.click("#runs-stop")
    state("Third", "Stopped")
    page.click(row("Second"))
    # The buttons are those of the run that is opened.
    page.wait_for_selector("#runs-run [data-part=title]:has-text('Second')")
    page.click("#runs-stop:has-text('Take out of the queue')")
    state("Second", "Stopped")

    page.click(row("First"))
    page.wait_for_selector("#runs-run:has([data-part=title]:has-text('First')) .scatterlayer .trace")
    page.click("#runs-stop:text-is('Stop')")
    state("First", "Stopped")
    run = next(run for run in store.runs() if run.card["name"] == "First")
    step = run.checkpoints()[-1]
    assert (run.path / "final").is_dir()
    page.click("#section-checkpoints-button")
    page.wait_for_selector("#run-checkpoints tbody tr")
    page.click("#run-go-on")
    state("First", "Training")
    assert next(event for event in run.events() if event["type"] == "resume")["step"] == step
    page.click("#runs-stop-now")
    state("First", "Stopped")
    assert step in run.checkpoints()


@pytest.mark.timeout(1800)
def test_no_page_owns_a_run(visit):
    first = visit("en")
    first.page.click("#demo-start")
    first.page.wait_for_selector("#train-run .td-pill.is-running")
    first.page.wait_for_selector("#train-run .scatterlayer .trace")
    name = first.page.inner_text("#train-run [data-part=title]")

    first.open()  # as a reload does
    first.page.wait_for_selector("#train-run .scatterlayer .trace")
    assert first.page.inner_text("#train-run [data-part=title]") == name

    second = visit("zh")
    second.go("train")
    second.page.wait_for_selector("#train-run .scatterlayer .trace")
    assert second.page.inner_text("#train-run [data-part=title]") == name
    before = step(second.page)

    first.context.close()
    second.context.close()
    third = visit("en")
    third.go("train")
    third.page.wait_for_selector("#train-run .scatterlayer .trace")
    assert step(third.page) >= before

    # A second Start waits, and says so; both can be stopped.
    third.page.click("#train-start")
    third.page.wait_for_selector("#train-run .td-pill.is-queued")
    assert "ahead" in third.page.inner_text("#train-run [data-part=message]")
    third.page.click("#train-stop")
    third.page.wait_for_selector("#train-run .td-pill.is-stopped")
    third.go("runs")
    third.page.click("#runs tr[data-row]:has(.td-pill.is-running), #runs tr[data-row]:has(.td-pill.is-starting)")
    third.page.click("#runs-stop")
    third.page.wait_for_selector("#runs-run .td-pill.is-stopped")
    third.page.wait_for_selector("#runs-resume")
    third.page.wait_for_selector("#runs-compare")


def step(page) -> int:
    # Until the first step there is a dash.
    page.wait_for_selector("#train-run .td-stat:first-child b:text-matches('[0-9]')")
    return int(page.inner_text("#train-run .td-stat >> nth=0").split("\n")[1].replace(",", ""))
