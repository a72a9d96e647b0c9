// One run, live: statistics, progress, messages and the chart. The server sends what is new since a cursor
// (ui/chart.py); Plotly adds the new points, so a zoom survives.
TuneDesk.run = (element, props, server, trigger, watch) => {
  const words = props.value.words;
  const part = (name) => element.querySelector(`[data-part=${name}]`);
  let run, cursor, mark, steps, evals, state, names = {}, metric, picked, smooth;

  // The column of the validation's events that belongs to the metric shown.
  const measured = () => (`eval_${metric}` in evals ? `eval_${metric}` : null);

  const forget = () => {
    run = props.value.run;
    cursor = "";
    mark = state = undefined;
  };

  const traces = () => {
    const hover = (name) => `${name} %{y:.4g}<extra></extra>`;
    // A line of one point could not be seen.
    const mode = steps.step.length > 1 ? "lines" : "markers";
    smooth = TuneDesk.smoother();
    const line = (y, name, style) => ({ x: [...steps.step], y, name, mode, hovertemplate: hover(name), ...style });
    const drawn = TuneDesk.even.has(metric)
      ? [line([...steps[metric]], names[metric], { line: { color: "#6366f1", width: 1.8 } })]
      : [
          line([...steps[metric]], words.raw, { line: { color: "rgba(99,102,241,.32)", width: 1.2 } }),
          line(smooth(steps[metric]), words.smoothed, { line: { color: "#4f46e5", width: 2.6 } }),
        ];
    if (measured()) {
      drawn.push({
        x: [...evals.step], y: [...evals[measured()]], name: words.validation, mode: "lines+markers",
        line: { color: "#f59e0b", width: 2.2 }, marker: { size: 7, line: { color: "#fff", width: 1.5 } },
        hovertemplate: hover(words.validation),
      });
    }
    return drawn;
  };

  const offer = () => {
    metric = picked in names ? picked : Object.keys(names)[0] ?? "loss";
    part("metrics").innerHTML = TuneDesk.draw.metrics(Object.entries(names), metric);
  };

  const draw = async () => {
    part("empty").hidden = steps.step.length > 0;
    part("metrics").hidden = steps.step.length === 0;
    part("chart").hidden = steps.step.length === 0;
    if (!steps.step.length) return;
    const Plotly = await TuneDesk.plotly();
    const layout = { ...TuneDesk.layout(element, words.step, `${run}-${metric}`), showlegend: !TuneDesk.even.has(metric) };
    await Plotly.react(part("chart"), traces(), layout, TuneDesk.plain);
  };

  const extend = async (news) => {
    const Plotly = await TuneDesk.plotly();
    const chart = part("chart");
    if (news.steps.step.length) {
      const fresh = [news.steps[metric]];
      if (!TuneDesk.even.has(metric)) fresh.push(smooth(news.steps[metric]));
      await Plotly.extendTraces(chart, { x: fresh.map(() => news.steps.step), y: fresh }, fresh.map((_, i) => i));
    }
    if (measured() && news.evals.step.length) {
      await Plotly.extendTraces(chart, { x: [news.evals.step], y: [news.evals[measured()]] }, [TuneDesk.even.has(metric) ? 1 : 2]);
    }
  };

  const show = (answer) => {
    part("title").textContent = answer.title;
    part("state").textContent = answer.state_text;
    part("state").className = `td-pill is-${answer.state || "none"}`;
    part("bar").style.width = `${Math.round(answer.progress * 1000) / 10}%`;
    part("progress").hidden = !answer.busy;
    part("progress").classList.toggle("is-waiting", answer.busy && !answer.progress);
    const message = part("message");
    message.hidden = !answer.message;
    message.textContent = answer.message;
    message.className = `td-message is-${answer.message_kind}`;
    part("empty").textContent = answer.empty;
    part("reading").hidden = !answer.reading;
    part("reading").textContent = answer.reading;
    if (answer.told) {
      part("told").hidden = !answer.told.title && !answer.told.warnings?.length;
      part("told").innerHTML = TuneDesk.draw.notable(answer.told);
    }
    part("stats").replaceChildren(
      ...answer.stats.map(({ label, value, note }) => {
        const card = document.createElement("div");
        card.className = "td-stat";
        for (const [tag, text] of [["small", label], ["b", value], ["span", note]]) {
          if (!text) continue;
          card.appendChild(document.createElement(tag)).textContent = text;
        }
        return card;
      }),
    );
  };

  const poll = async () => {
    const asked = { run, cursor, mark };
    const answer = await server.follow(asked);
    // Nothing new; or meanwhile another run was chosen, or another call brought the same points.
    if (!answer || asked.run !== run || asked.cursor !== cursor) return;
    mark = answer.mark;
    show(answer);
    // Its points come soon: by then their drawing is loaded.
    if (answer.busy) TuneDesk.plotly();
    const { news } = answer;
    cursor = news.cursor;
    const drawn = !news.reset && steps.step.length > 1;
    if (news.reset) {
      [steps, evals, names] = [news.steps, news.evals, Object.fromEntries(answer.metrics)];
      offer();
    } else {
      for (const name in steps) steps[name].push(...news.steps[name]);
      for (const name in evals) evals[name].push(...news.evals[name]);
    }
    if (drawn) await extend(news);
    else await draw();
    if (answer.state !== state) {
      state = answer.state;
      trigger("state", { run, state });
    }
  };

  element.addEventListener("click", async (event) => {
    const tab = event.target.closest("[data-metric]");
    if (!tab) return;
    picked = tab.dataset.metric;
    offer();
    await draw();
  });

  // Only another run starts anew: the same one goes on from where it is.
  watch("value", async () => {
    if (props.value.run === run) return;
    forget();
    await poll();
  });

  forget();
  // Every poll redraws the chart, where there is no graphics card on the cores that train.
  TuneDesk.every(element, 2000, poll);
};

// What a run warned of, and answers that it tried.
TuneDesk.draw.notable = (value) => {
  const { html, when } = TuneDesk.markup;
  return html`${value.warnings?.map((each) => html`<p class="td-message is-warn">${each}</p>`)}
    ${when(value.title, html`<h4>${value.title}</h4>
      <ul>${value.tried?.map((each) => html`<li><small>${each.note}</small><b>${each.question}</b>
        <span>${each.answer}</span></li>`)}</ul>`)}`;
};

// What charts of runs share. Curves without noise are drawn as they are, the others smoothed as well.
TuneDesk.even = new Set(["learning_rate", "tokens_per_second", "memory_gb"]);

// Exponential moving average, corrected for its start, as TensorBoard draws it; each call goes on where the last ended.
TuneDesk.smoother = () => {
  const SMOOTHING = 0.9;
  let mean = 0, weight = 0;
  const next = (value) => {
    if (value === null) return null;
    mean = SMOOTHING * mean + (1 - SMOOTHING) * value;
    weight = SMOOTHING * weight + (1 - SMOOTHING);
    return mean / weight;
  };
  return (values) => values.map(next);
};

// `key`: a zoom stays as long as it is the same.
TuneDesk.layout = (element, step, key) => {
  const dark = document.body.classList.contains("dark");
  const [ink, grid] = dark ? ["#cbd5e1", "#1e293b"] : ["#64748b", "#eef2f7"];
  const axis = { gridcolor: grid, zeroline: false, linecolor: grid, tickfont: { size: 11.5 }, automargin: true };
  return {
    margin: { l: 46, r: 12, t: 8, b: 38 }, height: 320, uirevision: key,
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: getComputedStyle(element).fontFamily, color: ink, size: 12.5 },
    hovermode: "x unified", dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
    hoverlabel: { bgcolor: dark ? "#0f172a" : "#fff", bordercolor: grid },
    legend: { orientation: "h", x: 1, xanchor: "right", y: 1.02, yanchor: "bottom" },
    xaxis: { ...axis, title: { text: step, standoff: 8 } }, yaxis: { ...axis, rangemode: "normal" },
  };
};

TuneDesk.plain = { displayModeBar: false, responsive: true, showTips: false };

// Plotly's own script (4.8 MB) is loaded when there is something to draw.
TuneDesk.plotly = () => {
  TuneDesk.loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = "/static/plotly.min.js";
    script.onload = () => resolve(window.Plotly);
    script.onerror = reject;
    document.head.appendChild(script);
  });
  return TuneDesk.loading;
};
