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
      <details><summary>${value.words.answers}</summary>${value.examples.map((row) => html`
        <article class="td-example"><h4>${row.question}</h4>
          <div>${side(value.words.before, row.base)}${side(value.words.after, row.tuned)}</div>
          <p><small>${value.words.reference}</small> ${row.reference}</p></article>`)}</details>`,

    report: (value) => !value.links ? "" : html`
      ${when(value.note, html`<p class="td-message">${value.note}</p>`)}
      <div class="td-links">${value.links.map((link) => html`<div><b>${link.title}</b>
        <a href="${link.href}" target="_blank" rel="noopener">${link.open}</a>
        <a href="${link.href}?save=1" download>${link.save}</a></div>`)}</div>`,

    exports: (value) => !value.rows?.length ? "" : html`
      <div class="td-links">${value.rows.map((row) => html`<div><b>${row.title}</b><small>${row.size}</small>
        <a href="${row.href}" download>${value.words.download}</a>
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

    exports(element, trigger) {
      element.addEventListener("click", (event) => {
        const button = event.target.closest("[data-remove]");
        if (button) trigger("remove", { job: button.dataset.remove });
      });
    },
  });
}
