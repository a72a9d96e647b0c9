// Answers side by side: how they are drawn, copied and saved. `markup` is HTML that the server made (engine/compare/markup.py);
// every other text is escaped.
{
  const { html, when, trusted } = TuneDesk.markup;

  const body = (answer) => {
    if (answer.quiet) return html`<div class="td-answer-text is-quiet">${answer.quiet}</div>`;
    const marks = answer.marks?.map(([text, differs]) => (differs ? html`<mark>${text}</mark>` : text));
    return html`
      <div class="td-answer-text td-markup">${trusted(answer.markup)}${when(answer.busy, html`<i class="td-caret"></i>`)}</div>
      ${when(marks, html`<div class="td-answer-text td-marks">${marks}</div>`)}`;
  };

  const answer = (words, turn) => (each, place) => html`
    <section class="td-answer ${each.kind}" aria-live="polite">
      <header><h3>${each.title}</h3><span>${each.note}</span></header>
      ${body(each)}
      <footer><span>${each.meta}</span>
        ${each.scores?.map((score) => html`<span class="td-score"><small>${score.label}</small> ${score.value}</span>`)}
        ${when(each.text, html`<button type="button" data-copy="${turn}.${place}">${words.copy}</button>`)}
      </footer>
    </section>`;

  const turn = (value) => (each, place) => html`
    <article class="td-turn" style="--columns: ${each.answers.length}">
      ${when(each.question, html`<div class="td-asked"><p>${each.question}</p>
        <nav>${when(each.drawn, html`<small>${each.drawn}</small>`)}
        ${when(each.number !== undefined, html`<button type="button" data-edit="${each.number}">${value.words.edit}</button>`)}
        ${when(each.last, html`<button type="button" data-again>${value.words.again}</button>`)}</nav></div>`)}
      <div class="td-answers">${each.answers.map(answer(value.words, place))}</div>
      ${when(each.reference, html`
        <section class="td-reference"><h4>${value.words.reference}</h4><p>${each.reference}</p></section>`)}
    </article>`;

  const copied = async (button, words, text) => {
    // Over plain HTTP from another computer browsers offer no clipboard: then the text is selected and copied as by hand.
    if (navigator.clipboard) await navigator.clipboard.writeText(text);
    else {
      const box = document.body.appendChild(Object.assign(document.createElement("textarea"), { value: text }));
      box.select();
      document.execCommand("copy");
      box.remove();
    }
    button.textContent = words.copied;
    setTimeout(() => (button.textContent = words.copy), 1500);
  };

  // Hands a text to the person as a file.
  const save = (text, name, type) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  // A text that a spreadsheet would take for a formula, and run, begins with an apostrophe; a number stays one.
  const harmless = (cell) => (/^[=+\-@\t\r]/.test(cell) && isNaN(cell) ? `'${cell}` : String(cell));
  // Rows for a spreadsheet; the mark at the front tells Excel that it is UTF-8.
  TuneDesk.saveTable = (rows, name) => {
    const lines = rows.map((row) => row.map((cell) => `"${harmless(cell).replace(/"/g, '""')}"`).join(","));
    save("\ufeff" + lines.join("\r\n"), name, "text/csv");
  };

  Object.assign(TuneDesk.draw, {
    turns: (value) => !value.turns?.length ? "" : html`
      ${when(value.id, html`<nav class="td-tools"><button type="button" data-fresh>${value.words.new}</button>
        ${when(value.turns[0].answers.length > 1, html`<button type="button" data-marks><span>${value.words.differences}</span><span>${value.words.plain}</span></button>`)}
        <button type="button" data-save>${value.words.save}</button></nav>`)}
      ${when(value.system, html`<p class="td-system"><b>${value.words.instructions}</b> ${value.system}</p>`)}
      ${value.turns.map(turn(value))}`,

    ten: (value) => !value.rows?.length ? "" : html`
      ${when(value.busy, html`<p class="td-message" role="status">${value.busy}</p>`)}
      <div class="td-table-wrap td-tall" tabindex="0"><table class="td-table td-ten">
        <thead><tr><th class="td-rownum">#</th><th>${value.words.question}</th>
          ${value.columns.map((name) => html`<th>${name}</th>`)}<th>${value.words.reference_short}</th></tr></thead>
        <tbody>${value.rows.map((row, n) => html`<tr><td class="td-rownum">${n + 1}</td><td>${row.question}</td>
          ${row.cells.map((cell) => html`<td>${when(cell.markup !== undefined, html`
            <div class="td-markup">${trusted(cell.markup)}</div><small>${cell.note}</small>`)}</td>`)}
          <td>${row.reference}</td></tr>`)}</tbody>
        ${when(!value.busy, html`<tfoot><tr><td class="td-rownum"></td><td>${value.words.mean}</td>
          ${value.means.map((mean) => html`<td>${mean}</td>`)}<td></td></tr></tfoot>`)}
      </table></div>
      ${when(!value.busy, html`<nav class="td-tools"><button type="button" data-save>${value.words.save}</button></nav>`)}`,
  });

  Object.assign(TuneDesk, {
    answers(element, props, trigger, server) {
      element.addEventListener("click", async (event) => {
        const button = event.target.closest("button");
        if (!button) return;
        const value = props.value;
        if (button.dataset.copy) {
          const [turn, place] = button.dataset.copy.split(".").map(Number);
          copied(button, value.words, value.turns[turn].answers[place].text);
        } else if (button.dataset.edit) {
          trigger("edit", { turn: Number(button.dataset.edit) });
        } else if ("again" in button.dataset) {
          trigger("again");
        } else if ("fresh" in button.dataset) {
          trigger("fresh");
        } else if ("marks" in button.dataset) {
          element.classList.toggle("is-marking");
        } else if ("save" in button.dataset) {
          save(await server.written({ run: value.run, id: value.id }), `tunedesk-${value.id}.md`, "text/markdown");
        }
      });
    },

    ten(element, props) {
      element.addEventListener("click", (event) => {
        if (!event.target.closest("[data-save]")) return;
        const { words, columns, rows } = props.value;
        const lines = rows.map((row) => [row.question, ...row.cells.map((cell) => cell.text), row.reference]);
        TuneDesk.saveTable([[words.question, ...columns, words.reference_short], ...lines], "tunedesk-ten.csv");
      });
    },
  });
}
