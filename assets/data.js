// What the data step shows (drawn as everything in draw.js is: every value escaped), and how its parts behave.
{
  const { html, when } = TuneDesk.markup;

  const pager = (value) => {
    const pages = Math.max(1, Math.ceil(value.total / value.size));
    const page = Math.floor(value.start / value.size) + 1;
    const go = (to, label, sign, off) => html`
      <button type="button" data-start="${(to - 1) * value.size}" aria-label="${label}" title="${label}"
        ${when(off, "disabled")}>${sign}</button>`;
    return html`<nav class="td-pager"><span>${value.where}</span>${when(pages > 1, html`
      ${go(1, value.words.first, "«", page <= 1)}${go(page - 1, value.words.previous, "‹", page <= 1)}
      <input type="number" min="1" max="${pages}" value="${page}" data-page aria-label="${value.words.page}">
      <span>/ ${pages.toLocaleString("en")}</span>
      ${go(page + 1, value.words.next, "›", page >= pages)}${go(pages, value.words.last, "»", page >= pages)}`)}</nav>`;
  };

  // For other lists that come page by page.
  TuneDesk.markup.pager = pager;

  const piece = (each) => html`<span class="${when(each.counted, "is-counted")}${when(each.special, " is-special")}${
    when(each.cut, " is-cut")}">${each.text}</span>`;

  const chart = (each) => html`
    <figure class="td-hist"><figcaption>${each.title}</figcaption>
      <div class="td-hist-plot">${each.bars.map((bar) => html`
        <i class="${when(bar.over, "is-over")}" title="${bar.tip}"
          style="left:${bar.left}%;width:${bar.width}%;height:${bar.height}%"></i>`)}
        ${when(each.limit !== null, html`<u style="left:${each.limit}%"><em>${each.limit_text}</em></u>`)}</div>
      <div class="td-hist-axis"><span>0</span><span>${each.top}</span></div>
      <div class="td-facts">${each.facts.map((fact) => html`
        <span><small>${fact.label}</small><b>${fact.value}</b></span>`)}</div>
    </figure>`;

  Object.assign(TuneDesk.draw, {
    table: (value) => when(value.columns, html`
      <div class="td-table-wrap" tabindex="0"><table class="td-table">
        <thead><tr><th class="td-rownum">#</th>${value.columns?.map((column, i) => html`
          <th ${when(column.name === value.sort, html`aria-sort="${value.descending ? "descending" : "ascending"}"`)}>
            <button type="button" data-sort="${i}" title="${value.words?.sort}">${column.name}<i>${
              column.name !== value.sort ? "" : value.descending ? "▼" : "▲"}</i></button>
            ${when(column.role, html`<em class="td-role">${column.role}</em>`)}</th>`)}</tr></thead>
        <tbody>${value.rows?.map((row) => html`<tr><td class="td-rownum">${row.number}</td>
          ${row.cells.map((cell) => html`<td><div>${cell}</div></td>`)}</tr>`)}</tbody>
      </table></div>
      ${when(value.more, html`<p class="td-sub">${value.more}</p>`)}${value.columns ? pager(value) : ""}`),

    search: (file, hint) => html`
      <input type="search" class="td-search" data-file="${file}" placeholder="${hint}" aria-label="${hint}" maxlength="200">`,

    columns: (value) => when(value.columns, html`
      <div class="td-table-wrap"><table class="td-table">
        <thead><tr>${["name", "kind", "filled", "distinct", "mean", "max", "example"].map((key) => html`
          <th class="${when(["filled", "distinct", "mean", "max"].includes(key), "td-num")}">${value.words?.[key]}</th>`)}</tr></thead>
        <tbody>${value.columns?.map((each) => html`
          <tr><td><b>${each.name}</b></td><td>${each.kind}</td><td class="td-num">${each.filled}</td>
            <td class="td-num">${each.distinct}</td><td class="td-num">${each.mean}</td><td class="td-num">${each.max}</td>
            <td><div>${each.example}</div></td></tr>`)}</tbody>
      </table></div><p class="td-sub">${value.note}</p>`),

    sample: (value) => when(value.words, html`
      <div class="td-sample">
        <header><span class="td-keys"><span class="is-counted">${value.words?.counted}</span>
            <span>${value.words?.masked}</span><span class="is-special">${value.words?.special}</span></span>
          ${when(value.where, html`<nav class="td-pager">
            <button type="button" data-row="${value.row - 1}" aria-label="${value.words?.previous}"
              ${when(!value.row, "disabled")}>‹</button><span>${value.where}</span>
            <button type="button" data-row="${value.row + 1}" aria-label="${value.words?.next}"
              ${when(value.last, "disabled")}>›</button></nav>`)}</header>
        ${when(value.problem, html`<p class="td-message is-bad">${value.problem}</p>`)}
        ${value.parts?.map((part) => html`<section>${when(part.title, html`<h4>${part.title}</h4>`)}
          <div class="td-tokens" tabindex="0">${part.pieces.map(piece)}</div>
          <p class="td-sub">${part.note}${when(part.cut, html` <b>${part.cut}</b>`)}</p></section>`)}
      </div>`),

    lengths: (value) => when(value.charts, html`
      ${when(value.said, html`<p class="td-message">${value.said}</p>`)}
      <div class="td-hists">${value.charts?.map(chart)}</div><p class="td-sub">${value.note}</p>`),

    findings: (value) => when(value.kinds, html`
      <ul class="td-findings">${value.kinds?.map((each) => html`
        <li><button type="button" data-kind="${each.key}" ${when(each.none, "disabled")}
          class="${when(each.key === value.picked, "is-on")}">
          <b>${each.count}</b><span>${each.label}</span>
          <em class="is-${each.fate}">${each.fate_text}</em></button></li>`)}</ul>
      <p class="td-sub">${value.words?.hint}</p>`),

    told: (value) => when(value.groups?.length, html`
      <div class="td-reasons">${value.groups?.map((group) => html`<h4>${group.title}</h4>
        <ul>${group.lines.map((line) => html`<li>${line.text} <small>${line.rows}</small></li>`)}</ul>`)}</div>`),

    downloads: (value) => when(value.files?.length, html`
      <div class="td-files"><span>${value.label}</span>${value.files?.map((file) => html`
        <a href="/data/${encodeURIComponent(value.set)}/${file.name}" download="${file.name}">
          ↓ ${file.text} <small>${file.size}</small></a>`)}</div>`),

    card: (value) => html`
      ${when(value.note, html`<p class="td-sub">${value.note}</p>`)}
      ${when(value.facts, html`<dl class="td-dl">${value.facts?.map((fact) => html`
        <dt>${fact.label}</dt><dd>${fact.value}</dd>`)}</dl>`)}
      ${value.sources?.map((source) => html`<h4 class="td-source">${source.name}</h4>
        <dl class="td-dl">${source.facts.map((fact) => html`<dt>${fact.label}</dt><dd>${fact.value}</dd>`)}</dl>`)}`,
  });

  // Says at once that the rows are on their way; a sort of a large table takes a moment the first time.
  const busy = (element) => element.querySelector(".td-table-wrap")?.classList.add("is-busy");

  Object.assign(TuneDesk, {
    pager(element, props, trigger) {
      const turn = (start, sort, descending) => {
        busy(element);
        trigger("turn", { start, sort, descending, search: props.value.search });
      };
      element.addEventListener("click", (event) => {
        const { sort, descending, columns } = props.value;
        const start = event.target.closest("[data-start]");
        if (start) turn(Number(start.dataset.start), sort, descending);
        const head = event.target.closest("[data-sort]");
        if (!head) return;
        const name = columns[Number(head.dataset.sort)].name;
        // Up, down, and as it was.
        if (name !== sort) turn(0, name, false);
        else turn(0, descending ? null : name, !descending);
      });
      element.addEventListener("change", (event) => {
        if (!event.target.matches("[data-page]")) return;
        const { sort, descending, size, total } = props.value;
        const page = Math.min(Math.max(1, Math.round(Number(event.target.value)) || 1), Math.ceil(total / size));
        turn((page - 1) * size, sort, descending);
      });
    },

    search(element, trigger) {
      let later;
      element.addEventListener("input", (event) => {
        clearTimeout(later);
        later = setTimeout(() => trigger("turn", { start: 0, search: event.target.value }), 350);
      });
    },

    rows(element, trigger) {
      element.addEventListener("click", (event) => {
        const button = event.target.closest("[data-row]");
        if (button) trigger("turn", { row: Number(button.dataset.row) });
      });
    },

    findings(element, trigger) {
      element.addEventListener("click", (event) => {
        const button = event.target.closest("[data-kind]");
        if (button) trigger("pick", { kind: button.dataset.kind });
      });
    },
  });
}
