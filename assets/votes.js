// Blind votes: the two answers, and the scoreboard.
{
  const { html, when } = TuneDesk.markup;

  TuneDesk.draw.blind = (value) => when(value.answers, html`
    <div class="td-blind">${value.answers?.map((each) => html`
      <section class="td-answer${when(each.chosen, " is-chosen")}" aria-live="polite">
        <header><h3>${each.letter}</h3><span>${each.title}</span></header>
        <div class="td-answer-text">${each.text}${when(each.busy, html`<i class="td-caret"></i>`)}</div>
      </section>`)}</div>
    ${when(value.note, html`<p class="td-blind-note">${value.note}</p>`)}`);

  TuneDesk.draw.votes = (value) => when(value.rows, html`
    <div class="td-table-wrap"><table class="td-table td-board">
      <thead><tr><th>${value.words?.model}</th><th>${value.words?.wins}</th><th>${value.words?.losses}</th>
        <th>${value.words?.ties}</th><th>${value.words?.rate}</th><th>${value.words?.interval}</th></tr></thead>
      <tbody>${value.rows?.map((row) => html`<tr><td>${row.model}</td><td>${row.wins}</td><td>${row.losses}</td>
        <td>${row.ties}</td><td><b>${row.rate}</b></td>
        <td><span class="td-range" title="${row.between}"><i style="left: ${row.low}%; right: ${100 - row.high}%"></i>
          <b style="left: ${row.at}%"></b></span> <small>${row.between}</small></td></tr>`)}</tbody>
    </table></div>
    <p class="td-board-note">${value.note} <button type="button" data-save>${value.words?.save}</button></p>`);

  TuneDesk.votes = (element, props, server) => {
    element.addEventListener("click", async (event) => {
      if (event.target.closest("[data-save]")) TuneDesk.saveTable(await server.table({}), `${props.value.words.file}.csv`);
    });
  };
}

// What a judge said of each pair.
TuneDesk.draw.judgements = (value) => {
  const { html, when, pager } = TuneDesk.markup;
  return when(value.rows, html`
    <div class="td-verdicts">${value.rows?.map((row) => html`
      <section><header><h4>${row.question}</h4>${when(row.vote, html`<em class="td-badge">${row.vote}</em>`)}
          <em class="td-badge is-${row.kept ? "good" : "warn"}">${row.verdict}</em></header>
        <div>${row.answers.map((each) => html`
          <p class="${when(each.chosen, "is-chosen")}" tabindex="0"><b>${each.letter}</b> ${each.text}</p>`)}</div>
        ${when(row.said.length, html`<dl>${row.said.map((each) => html`
          <dt>${each.order} → ${each.choice}</dt><dd>${each.reason}</dd>`)}</dl>`)}</section>`)}</div>
    ${value.rows ? pager(value) : ""}`);
};

// The outcome of a judging: figures, and links to what followed.
TuneDesk.draw.judged = (value) => {
  const { html, when } = TuneDesk.markup;
  return when(value.facts, html`
    <div class="td-judged"><b>${value.name}</b>
      ${value.facts?.map((fact) => html`<span><small>${fact.label}</small> ${fact.value}</span>`)}
      ${when(value.note, html`<p>${value.note}</p>`)}
      ${when(value.run, html`<nav><button type="button" data-step="runs" data-run="${value.run}">${value.words?.training}</button>
        <button type="button" data-step="compare" data-run="${value.run}" ${when(value.waits, "disabled")}>${value.words?.compare}</button></nav>`)}
      ${when(value.waits, html`<p class="is-soft">${value.waits}</p>`)}</div>`);
};
TuneDesk.judged = (element, trigger) => {
  element.addEventListener("click", (event) => {
    const button = event.target.closest("[data-step]");
    if (button) trigger("open", { step: button.dataset.step, run: button.dataset.run });
  });
};
