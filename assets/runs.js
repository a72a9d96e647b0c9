// The runs tab: the live list, the overlay of several runs, and the events and log of an opened one.

// The list asks for what has changed; a row is drawn anew only when it did, so that focus and ticks stay.
TuneDesk.runlist = (element, props, server, trigger, watch) => {
  const part = (name) => element.querySelector(`[data-part=${name}]`);
  const rows = new Map();
  const ticked = new Set();
  let asked;

  const mark = () => {
    for (const [id, row] of rows) {
      row.element.classList.toggle("is-open", id === props.value.opened);
      row.element.querySelector("[data-check]").checked = ticked.has(id);
    }
  };

  const poll = async () => {
    if (!element.offsetParent) return;
    const query = part("search").value;
    const known = Object.fromEntries([...rows].map(([id, row]) => [id, row.mark]));
    const mine = (asked = Symbol());
    const answer = await server.listing({ query, known });
    // Nothing new; or asked anew meanwhile: this one may be of another search, and builds on what was shown then.
    if (!answer || mine !== asked) return;
    for (const [id, facts] of Object.entries(answer.rows)) {
      const row = rows.get(id) ?? { element: document.createElement("tr") };
      row.mark = facts.mark;
      row.element.dataset.row = id;
      row.element.tabIndex = 0;
      row.element.innerHTML = TuneDesk.draw.run(facts, props.value.words);
      rows.set(id, row);
    }
    const ordered = answer.order.map((id) => [id, rows.get(id)]);
    rows.clear();
    for (const [id, row] of ordered) rows.set(id, row);
    const body = part("body");
    // Only what is out of place moves, so that a row that has the focus keeps it.
    ordered.forEach(([, row], i) => body.children[i] === row.element || body.insertBefore(row.element, body.children[i] ?? null));
    while (body.children.length > ordered.length) body.lastElementChild.remove();
    part("wrap").hidden = !ordered.length;
    part("empty").hidden = ordered.length > 0;
    part("empty").textContent = answer.empty;
    part("count").textContent = answer.count;
    mark();
  };

  const press = (event) => {
    const row = event.target.closest("[data-row]");
    if (!row) return;
    if (event.target.closest(".td-check")) {
      const box = row.querySelector("[data-check]");
      if (event.target !== box) box.checked = !box.checked;
      ticked[box.checked ? "add" : "delete"](row.dataset.row);
      trigger("mark", { runs: [...rows.keys()].filter((id) => ticked.has(id)) });
      return;
    }
    trigger("open", { row: row.dataset.row });
  };
  element.addEventListener("click", press);
  element.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("[data-row]")) press(event);
  });

  const { columns, words } = props.value;
  part("search").placeholder = words.search;
  part("search").setAttribute("aria-label", words.search);
  part("head").append(
    document.createElement("th"),
    ...columns.map(({ name, title }) => {
      const head = document.createElement("th");
      head.textContent = title;
      head.className = ["loss", "time"].includes(name) ? "td-num" : "";
      return head;
    }),
  );
  part("search").addEventListener("input", poll);
  watch("value", () => poll().then(mark));
  TuneDesk.every(element, 2000, poll);
};

// Several runs in one chart. A colour belongs to a place in the selection, in the chart and in the table's head.
TuneDesk.overlay = (element, props, server, watch) => {
  const COLOURS = ["#4f46e5", "#f59e0b", "#0d9488", "#e11d48", "#0284c7", "#84cc16", "#9333ea", "#64748b"];
  const part = (name) => element.querySelector(`[data-part=${name}]`);
  let metric = "loss", curves = {}, drawn;

  const draw = async () => {
    const asked = drawn;
    const Plotly = await TuneDesk.plotly();
    // Meanwhile other runs may have been ticked, whose points are still to come.
    if (asked !== drawn) return;
    const { runs, words } = props.value;
    const most = element.clientWidth < 600 ? 24 : 40;
    const traces = runs.map(([id, name], i) => ({
      x: curves[id].x,
      y: TuneDesk.even.has(metric) || metric.startsWith("eval_") ? curves[id].y : TuneDesk.smoother()(curves[id].y),
      name: name.length > most ? `${name.slice(0, most)}…` : name, mode: metric.startsWith("eval_") || curves[id].x.length < 2 ? "lines+markers" : "lines", line: { color: COLOURS[i], width: 2.2 },
      hovertemplate: "%{y:.4g}",
    }));
    const layout = TuneDesk.layout(element, words.step, `${metric}-${runs.map(([id]) => id)}`);
    await Plotly.react(part("chart"), traces, { ...layout, showlegend: true }, TuneDesk.plain);
  };

  const poll = async () => {
    const { runs } = props.value;
    if (runs.length < 2 || !element.offsetParent) return;
    const asked = drawn;
    const cursors = Object.fromEntries(runs.map(([id]) => [id, curves[id]?.cursor ?? ""]));
    const answer = await server.curves({ metric, cursors });
    if (!answer || asked !== drawn) return;
    for (const [id, { cursor, reset, x, y }] of Object.entries(answer)) {
      // Another call has brought the same points.
      if ((curves[id]?.cursor ?? "") !== cursors[id]) continue;
      const before = reset ? { x: [], y: [] } : curves[id];
      curves[id] = { cursor, x: [...before.x, ...x], y: [...before.y, ...y] };
    }
    if (runs.every(([id]) => curves[id])) await draw();
  };

  const anew = () => {
    const { runs, metrics, table, words } = props.value;
    curves = {};
    drawn = Symbol();
    part("overlay").hidden = runs.length < 2;
    if (runs.length < 2) return;
    if (!metrics.some(([name]) => name === metric)) metric = "loss";
    part("title").textContent = words.title;
    part("metrics").innerHTML = TuneDesk.draw.metrics(metrics, metric);
    part("table").innerHTML = TuneDesk.draw.grid(table);
    part("table").querySelectorAll("th:not(:first-child)").forEach((head, i) => (head.style.borderTop = `3px solid ${COLOURS[i]}`));
    poll();
  };

  element.addEventListener("click", (event) => {
    const tab = event.target.closest("[data-metric]");
    if (!tab) return;
    metric = tab.dataset.metric;
    anew();
  });
  watch("value", anew);
  anew();
  TuneDesk.every(element, 2000, poll);
};

// The checkpoints of the opened run; what can be done with them is told anew when they change.
TuneDesk.checkpoints = (element, props, server, trigger, watch) => {
  let run, mark;
  const poll = async () => {
    if (!run || !element.offsetParent) return;
    const asked = run;
    const answer = await server.follow({ run, mark });
    if (!answer || asked !== run) return;
    const first = mark === undefined;
    mark = answer.mark;
    element.querySelector("[data-part=grid]").innerHTML = TuneDesk.draw.grid(answer);
    if (!first) trigger("changed", {});
  };
  const anew = () => {
    if (props.value.run === run) return;
    [run, mark] = [props.value.run, undefined];
    element.querySelector("[data-part=grid]").replaceChildren();
    poll();
  };
  watch("value", anew);
  anew();
  TuneDesk.every(element, 3000, poll);
};

// What happened, newest first, and the end of the process's output.
TuneDesk.log = (element, props, server, watch) => {
  const part = (name) => element.querySelector(`[data-part=${name}]`);
  let run, seq, size;

  const poll = async () => {
    if (!run || !element.offsetParent) return;
    const asked = { run, seq, size };
    const answer = await server.follow(asked);
    // Nothing new; or meanwhile another run was opened, or another call brought the same.
    if (!answer || asked.run !== run || asked.seq !== seq || asked.size !== size) return;
    ({ seq, size } = answer);
    for (const [time, kind, text] of answer.events) {
      const line = document.createElement("li");
      line.className = `is-${kind}`;
      line.append(Object.assign(document.createElement("time"), { textContent: time }), text);
      part("events").prepend(line);
    }
    if (answer.tail === null) return;
    const tail = part("tail");
    const atEnd = tail.scrollHeight - tail.scrollTop - tail.clientHeight < 40;
    tail.textContent = answer.tail || props.value.words.silent;
    if (atEnd) tail.scrollTop = tail.scrollHeight;
  };

  const anew = () => {
    if (props.value.run === run) return;
    [run, seq, size] = [props.value.run, 0, -1];
    part("events").replaceChildren();
    part("heading").textContent = props.value.words.tail ?? "";
    poll();
  };
  watch("value", anew);
  anew();
  TuneDesk.every(element, 2000, poll);
};
