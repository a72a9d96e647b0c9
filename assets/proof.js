// What a run achieved: how its evaluations, reports and exports are drawn, and how jobs are followed.
{
  const { html, when } = TuneDesk.markup;

  // Where the interval of a change lies beside zero, the middle line.
  const whisker = (row) => when(row.change, html`
    <svg class="td-whisker ${row.kind}" viewBox="0 0 100 16" preserveAspectRatio="none" aria-hidden="true">
      <line class="zero" x1="50" x2="50" y1="0" y2="16"/>
      <line class="span" x1="${row.from}" x2="${row.to}" y1="8" y2="8"/></svg>`);

  const measures = (words, rows) => html`
    <div class="td-table-wrap td-plain"><table class="td-table td-measures">
      <thead><tr><th>${words.measure}</th><th class="td-num">${words.before}</th><th class="td-num">${words.after}</th>
        <th class="td-num">${words.change}</th><th></th></tr></thead>
      <tbody>${rows.map((row) => html`<tr><td>${row.name}</td><td class="td-num">${row.before}</td>
        <td class="td-num"><b>${row.after}</b></td>
        <td class="td-num ${row.kind}">${row.change}<small>${row.interval}</small></td><td>${whisker(row)}</td></tr>`)}</tbody>
    </table></div>`;

  const side = (title, answer) => html`
    <div><small>${title}</small><p>${answer.text}</p><small>${answer.score}</small></div>`;

  Object.assign(TuneDesk.draw, {
    job: (value) => !value.job || !(value.going || value.said) ? "" : html`
      <section class="td-job" role="status">
        <p class="td-message ${value.kind}">${value.said}${when(value.percent !== null && value.going, html` <b>${Math.round(value.percent)}%</b>`)}</p>
        ${when(value.going, html`<div class="td-progress${when(value.percent === null, " is-waiting")}">
          <i style="width: ${value.percent ?? 0}%"></i></div>
          <button type="button" data-cancel>${value.cancel}</button>`)}
      </section>`,

    evaluation: (value) => !value.rows ? when(value.empty, html`<p class="td-empty">${value.empty}</p>`) : html`
      <p class="td-verdict is-${value.verdict}">${value.sentence}</p>
      ${measures(value.words, value.rows)}
      <p class="td-sub">${value.note}</p>
      ${when(value.general, html`<h3>${value.words.forgot}</h3>
        <p class="td-verdict is-${value.general?.warning ? "mixed" : "same"}">${value.general?.sentence}</p>
        <details><summary>${value.words.measure}</summary>${value.general && measures(value.words, value.general.rows)}</details>`)}
      ${when(value.examples.length, html`<details><summary>${value.words.answers}</summary>${value.examples.map((row) => html`
        <article class="td-example"><h4>${row.question}</h4>
          <div>${side(value.words.before, row.base)}${side(value.words.after, row.tuned)}</div>
          <p><small>${value.words.reference}</small> ${row.reference}</p></article>`)}</details>`)}`,

    report: (value) => !value.links ? "" : html`
      ${when(value.note, html`<p class="td-message">${value.note}</p>`)}
      <div class="td-links">${value.links.map((link) => html`<div><b>${link.title}</b>
        <a href="${link.href}" target="_blank" rel="noopener">${link.open}</a>
        <a href="${link.href}?save=1" download>${link.save}</a></div>`)}</div>`,

    contest: (value) => !value.rows ? "" : html`
      ${when(value.standing, html`<p class="td-verdict is-same">${value.standing}</p>`)}
      <p class="td-sub">${value.note}</p>
      <div class="td-table-wrap td-plain"><table class="td-table td-runs">
        <thead><tr><th>${value.words.method}</th><th>${value.words.state}</th><th class="td-num">ROUGE-L</th>
          <th class="td-num">BLEU-4</th><th class="td-num">${value.words.loss}</th><th class="td-num">${value.words.time}</th>
          <th class="td-num">${value.words.memory}</th><th class="td-num">${value.words.size}</th>
          <th class="td-num">${value.words.parameters}</th></tr></thead>
        <tbody>${value.rows.map((row) => html`<tr data-row="${row.run}" tabindex="0"><td><b>${row.method}</b></td>
          <td><span class="td-pill is-${row.state}">${row.state_text}${when(row.state === "running", ` ${row.percent}%`)}</span></td>
          <td class="td-num${when(row.best.quality, " is-best")}">${row.quality}</td><td class="td-num">${row.bleu4}</td>
          <td class="td-num">${row.loss}</td><td class="td-num${when(row.best.time, " is-best")}">${row.time}</td>
          <td class="td-num${when(row.best.memory, " is-best")}">${row.memory}</td>
          <td class="td-num${when(row.best.size, " is-best")}">${row.size}</td><td class="td-num">${row.parameters}</td></tr>`)}</tbody>
      </table></div>
      <div class="td-contest-bars">${value.bars.map((chart) => html`<figure><figcaption><b>${chart.title}</b> ${chart.hint}</figcaption>
        ${chart.rows.map((row) => html`<div class="td-contest-bar${when(row.best, " is-best")}"><span>${row.name}</span>
          <i><i style="width: ${row.width}%"></i></i><b>${row.text}</b></div>`)}</figure>`)}</div>
      <nav class="td-tools"><button type="button" data-save>${value.words.save}</button></nav>`,

    uploads: (value) => !value.rows?.length ? "" : html`
      <h3>${value.title}</h3><ul>${value.rows.map((row) => html`<li><code>${row.address}</code> <small>${row.note}</small></li>`)}</ul>`,

    door: (value) => !value.url ? "" : html`
      <p class="td-message is-good">${value.note}</p>
      <div class="td-stats">${value.facts.map((fact) => html`
        <div class="td-stat"><small>${fact.label}</small><b>${fact.value}</b></div>`)}</div>
      <div class="td-links"><div><a href="${value.url}" target="_blank" rel="noopener">${value.open}</a></div></div>`,

    exports: (value) => !value.rows?.length ? "" : html`
      <div class="td-links">${value.rows.map((row) => html`<div><b>${row.title}</b><small>${row.size}</small>
        <a href="${row.href}" download>${value.words.download}</a>
        <button type="button" data-upload="${row.job}">${value.words.upload}</button>
        <button type="button" data-remove="${row.job}">${value.words.remove}</button>
        <code>${value.words.where} ${row.path}</code></div>`)}</div>`,
  });

  Object.assign(TuneDesk, {
    // A job that is not a training run. It is asked for while it goes on; its value changes only when it does.
    job(element, props, server, trigger) {
      element.addEventListener("click", (event) => {
        if (event.target.closest("[data-cancel]")) server.cancel({ job: props.value.job });
      });
      TuneDesk.every(element, 1000, async () => {
        const asked = props.value;
        if (!asked.going) return;
        const now = await server.follow({ job: asked.job });
        if (props.value !== asked) return; // another job meanwhile
        if (JSON.stringify(now) === JSON.stringify(asked)) return;
        props.value = now;
        if (now.state !== asked.state) trigger("state", { job: now.job, state: now.state });
      });
    },

    contest(element, props, server, trigger) {
      element.addEventListener("click", (event) => {
        const row = event.target.closest("[data-row]");
        if (row) trigger("open", { run: row.dataset.row });
        if (!event.target.closest("[data-save]")) return;
        const { words, rows } = props.value;
        const heads = [words.method, "ROUGE-L", "BLEU-4", words.loss, words.time, words.memory, words.size, words.parameters];
        const names = ["method", "quality", "bleu4", "loss", "time", "memory", "size", "parameters"];
        TuneDesk.saveTable([heads, ...rows.map((row) => names.map((name) => row[name]))], `${words.file}.csv`);
      });
      TuneDesk.every(element, 2000, async () => {
        const asked = props.value;
        if (!asked.contest || asked.over) return;
        const now = await server.follow({ contest: asked.contest });
        if (props.value === asked && JSON.stringify(now) !== JSON.stringify(asked)) props.value = now;
      });
    },

    exports(element, trigger) {
      element.addEventListener("click", (event) => {
        const button = event.target.closest("[data-remove]");
        if (button) trigger("remove", { job: button.dataset.remove });
        const upload = event.target.closest("[data-upload]");
        if (upload) trigger("upload", { job: upload.dataset.upload });
      });
    },
  });
}
