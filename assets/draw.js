// The markup of what gr.HTML components show. Their templates are only `${TuneDesk.draw.NAME(value)}`: Gradio evaluates
// what Handlebars made of a template once more as JavaScript, so text put in by Handlebars could run as code. Here
// every value is escaped, and nothing is evaluated afterwards.
window.TuneDesk = window.TuneDesk || {};
{
  class Markup {
    constructor(text) {
      this.text = text;
    }
    toString() {
      return this.text;
    }
  }
  const NAMES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  const escaped = (value) => {
    if (value instanceof Markup) return value.text;
    if (Array.isArray(value)) return value.map(escaped).join("");
    if (value === undefined || value === null || value === false) return "";
    return String(value).replace(/[&<>"']/g, (character) => NAMES[character]);
  };
  // html`<b>${text}</b>`: whatever is put in is escaped, unless it is markup itself.
  const html = (parts, ...values) => new Markup(parts.reduce((text, part, i) => text + escaped(values[i - 1]) + part));
  const when = (condition, markup) => (condition ? markup : "");
  // For the files that draw one tab each. `trusted`: HTML that the server made of Markdown, without a tag from outside.
  TuneDesk.markup = { html, when, trusted: (text) => new Markup(text) };

  const card = (name) => (each) => html`
    <label class="td-card${when(each.further, " is-further")}${when(each.selected, " is-selected")}${when(each.disabled, " is-disabled")}">
      <input type="radio" name="${name}" value="${each.key}" ${when(each.selected, "checked")} ${when(each.disabled, "disabled")}>
      <span class="td-card-title"><span>${each.title}</span>${when(each.badge, html`<em class="td-badge">${each.badge}</em>`)}</span>
      ${when(each.text, html`<span class="td-card-text">${each.text}</span>`)}
      ${when(each.facts.length, html`<span class="td-facts">${each.facts.map(
        (fact) => html`<span><small>${fact.label}</small><b>${fact.value}</b></span>`)}</span>`)}
    </label>`;

  TuneDesk.draw = {
    cards: (value) => html`
      <div class="td-cards" role="radiogroup" aria-label="${value.label}">${value.cards.map(card(value.name))}</div>
      ${when(value.more, html`<button type="button" class="td-more" data-more>${value.more}</button>`)}
      ${when(!value.cards.length, html`<p class="td-empty">${value.empty}</p>`)}`,

    stats: (value) => html`
      <div class="td-stats">${value.map((fact) => html`
        <div class="td-stat ${fact.kind}"><small>${fact.label}</small><b>${fact.value}</b>
          ${when(fact.note, html`<span>${fact.note}</span>`)}</div>`)}</div>`,

    steps: (value) => when(value.steps, html`
      <nav class="td-steps" aria-label="${value.label}">${value.steps?.map((step) => html`
        <button type="button" data-step="${step.key}" ${when(step.current, html`aria-current="step"`)}
          class="td-step is-${step.key}${when(step.current, " is-current")}${when(step.done, " is-done")}">
          <i>${step.mark}</i>
          <span><b>${step.title}</b><small ${when(step.live, "data-live")}>${step.note}</small></span>
        </button>`)}</nav>`),

    table: (value) => when(value.columns, html`
      <div class="td-table-wrap" tabindex="0"><table class="td-table">
        <thead><tr><th class="td-rownum">#</th>${value.columns?.map((name) => html`<th>${name}</th>`)}</tr></thead>
        <tbody>${value.rows?.map((row) => html`<tr><td class="td-rownum">${row.number}</td>
          ${row.cells.map((cell) => html`<td><div>${cell}</div></td>`)}</tr>`)}</tbody>
      </table></div>
      <nav class="td-pager"><span>${value.where}</span>
        <button type="button" data-start="${value.previous}" aria-label="${value.words?.previous}"
          ${when(!value.has_previous, "disabled")}>‹</button>
        <button type="button" data-start="${value.next}" aria-label="${value.words?.next}"
          ${when(!value.has_next, "disabled")}>›</button>
      </nav>`),

    runs: (value) => !value.rows?.length ? when(value.empty, html`<p class="td-empty">${value.empty}</p>`) : html`
      <div class="td-table-wrap"><table class="td-table td-runs">
        <thead><tr>${value.columns.map((column) => html`<th class="${column.kind}">${column.title}</th>`)}</tr></thead>
        <tbody>${value.rows.map((run) => html`
          <tr data-row="${run.id}" tabindex="0" class="${when(run.open, "is-open")}">
            <td><b>${run.name}</b><small>${run.created}</small></td>
            <td><span class="td-pill is-${run.state}">${run.state_text}</span></td>
            <td>${run.model}</td><td>${run.data}</td><td>${run.method}</td>
            <td class="td-num">${run.loss}</td><td class="td-num">${run.eval_loss}</td><td class="td-num">${run.time}</td>
          </tr>`)}</tbody>
      </table></div>`,

    chips: (value) => when(value.chips?.length, html`
      <div class="td-chips"><span>${value.label}</span>
        ${value.chips?.map((text, i) => html`<button type="button" data-chip="${i}">${text}</button>`)}
        <button type="button" class="is-more" data-chip="-1">${value.more}</button></div>`),
  };
}
