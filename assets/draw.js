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

  const card = (name, learn) => (each) => html`
    <label class="td-card${when(each.further, " is-further")}${when(each.selected, " is-selected")}${when(each.disabled, " is-disabled")}">
      <input type="radio" name="${name}" value="${each.key}" ${when(each.selected, "checked")} ${when(each.disabled, "disabled")}>
      <span class="td-card-title"><span>${each.title}</span>${when(each.badge, html`<em class="td-badge is-${each.kind}">${each.badge}</em>`)}
        ${when(learn, html`<button type="button" class="td-why" data-learn="${each.key}" title="${learn}" aria-label="${each.title}: ${learn}">?</button>`)}</span>
      ${when(each.text, html`<span class="td-card-text">${each.text}</span>`)}
      ${when(each.facts.length, html`<span class="td-facts">${each.facts.map(
        (fact) => html`<span><small>${fact.label}</small><b>${fact.value}</b></span>`)}</span>`)}
    </label>`;

  TuneDesk.draw = {
    cards: (value) => html`
      <div class="td-cards" role="radiogroup" aria-label="${value.label}">${value.cards.map(card(value.name, value.learn))}</div>
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

    metrics: (offered, chosen) => html`${offered.map(([name, label]) => html`
      <button type="button" data-metric="${name}" class="${when(name === chosen, "is-on")}">${label}</button>`)}`,

    // A row of the list of runs: the cells only, as the row itself stays.
    run: (run, words) => html`
      <td class="td-check"><input type="checkbox" data-check aria-label="${words.select}"></td>
      <td><b>${run.name}</b><small>${run.created}</small>
        ${when(run.tags.length, html`<span class="td-tags">${run.tags.map((tag) => html`<i>${tag}</i>`)}</span>`)}</td>
      <td><span class="td-pill is-${run.state}">${run.state_text}</span><small>${run.state_note}</small></td>
      <td class="td-spark">${when(run.curve.length, html`<svg viewBox="-1 -4 ${run.curve.length + 1} 108" preserveAspectRatio="none"
        aria-hidden="true"><polyline points="${run.curve.map((height, i) => `${i},${100 - height}`).join(" ")}"/></svg>`)}</td>
      <td class="td-num"><b>${run.loss}</b><small>${run.best}</small></td>
      <td><span>${run.model}</span><small>${run.data}</small></td>
      <td><span>${run.method}</span><small>${run.objective}</small></td>
      <td class="td-num">${run.time}</td>`,

    // A small table of text.
    grid: (value) => !value.rows?.length ? when(value.empty, html`<p class="td-empty">${value.empty}</p>`) : html`
      <div class="td-table-wrap" tabindex="0"><table class="td-table">
        <thead><tr>${value.columns.map((title) => html`<th>${title}</th>`)}</tr></thead>
        <tbody>${value.rows.map((row) => html`<tr>${row.map((cell) => html`<td><div>${cell}</div></td>`)}</tr>`)}</tbody>
      </table></div>`,

    // Groups of names and values.
    facts: (value) => html`
      <div class="td-groups">${value.map((group) => html`
        <section><h4>${group.title}</h4><dl>${group.facts.map(
          ([label, text]) => html`<dt>${label}</dt><dd>${text}</dd>`)}</dl></section>`)}</div>`,

    chips: (value) => when(value.chips?.length, html`
      <div class="td-chips"><span>${value.label}</span>
        ${value.chips?.map((text, i) => html`<button type="button" data-chip="${i}">${text}</button>`)}
        <button type="button" class="is-more" data-chip="-1">${value.more}</button></div>`),
  };
}
