// The model tab: downloads followed live, and the tree of a model's modules.
{
  const { html, when } = TuneDesk.markup;

  const bar = (share) => html`<div class="td-progress"><i style="width: ${100 * share}%"></i></div>`;

  const weight = (each) => html`
    <li class="td-weight"><span>${each.name}</span><code>${each.shape}</code><b>${each.count}</b></li>`;

  const name = (text) => text.split("_").map((part, at) => html`${when(at, html`_<wbr>`)}${part}`);

  const row = (node) => html`
    <span class="td-node-name">${when(node.name, html`<b>${name(node.name)}</b>`)}<code>${node.type}</code>${when(node.mark,
      html`<span class="td-mark">${node.mark} <b>${node.trains}</b></span>`)}${when(node.trains && !node.mark,
      html`<i class="td-learns" title="${node.trains}"></i>`)}</span>
    <small>${node.detail}</small><span class="td-share"><i style="width: ${node.bar}%"></i></span>
    <b>${node.count}</b><em>${node.share}</em>`;

  const node = (each) => each.children.length || each.weights.length
    ? html`<details class="td-node" ${when(each.open, "open")}><summary>${row(each)}</summary>
        ${when(each.each, html`<p class="td-sub">${each.each}</p>`)}
        ${when(each.weights.length, html`<ul>${each.weights.map(weight)}</ul>`)}${each.children.map(node)}</details>`
    : html`<div class="td-node is-leaf"><div class="td-summary">${row(each)}</div></div>`;

  const download = (each, unfolded) => html`
    <section class="td-download" data-job="${each.job}">
      <header><span><b>${each.name}</b><small>${each.hub}</small></span>
        <span class="td-pill is-${each.state}">${each.pill}</span></header>
      ${when(each.going || each.share < 1, bar(each.share))}
      <div class="td-download-line"><span>${each.line}</span>
        <span class="td-buttons">${each.actions.map(
          (action) => html`<button type="button" data-act="${action.what}">${action.text}</button>`)}</span></div>
      ${when(each.message, html`<p class="td-message is-${each.kind}">${each.message}</p>`)}
      ${when(each.files.length, html`<details ${when(unfolded, "open")}><summary>${each.count}</summary><ul>${each.files.map(
        (file) => html`<li><span>${file.name}</span>${bar(file.share)}<small>${file.line}</small></li>`)}</ul></details>`)}
    </section>`;

  Object.assign(TuneDesk.draw, {
    fit: (value) => when(value.verdict, html`
      <section class="td-fit ${value.kind}">
        <header><h3>${value.title}</h3><span class="td-pill">${value.verdict}</span></header>
        ${TuneDesk.draw.stats(value.facts ?? [])}
        <div class="td-fit-bar" aria-hidden="true">${value.parts?.map((part) => html`<i style="width: ${part.share}%"></i>`)}</div>
        <ul class="td-fit-parts">${value.parts?.map((part) => html`<li><i></i>${part.name} <b>${part.size}</b></li>`)}</ul>
        ${when(value.advice_title, html`<h4>${value.advice_title}</h4><ul>${value.advice?.map((text) => html`<li>${text}</li>`)}</ul>`)}
      </section>`),

    structure: (value) => when(value.root, html`
      <div class="td-structure"><p class="td-sub">${value.total}</p><p>${value.trains}</p>${value.root && node(value.root)}
        ${value.tied?.map((text) => html`<p class="td-sub">${text}</p>`)}</div>`),
  });

  // Asks once a second; a download is drawn anew only when it changed, so that focus and unfolded files stay.
  TuneDesk.downloads = (element, props, server, trigger) => {
    const list = element.querySelector(".td-downloads");
    const drawn = new Map();
    let first = true;

    const show = (all) => {
      const jobs = new Set(all.map((each) => each.job));
      for (const [job, known] of drawn) {
        if (jobs.has(job)) continue;
        known.element.remove();
        drawn.delete(job);
      }
      all.forEach((each, place) => {
        const known = drawn.get(each.job);
        const mark = JSON.stringify(each);
        if (known?.mark === mark) return;
        const unfolded = known?.element.querySelector("details")?.open ?? false;
        const holder = document.createElement("div");
        holder.innerHTML = download(each, unfolded).text;
        const fresh = holder.firstElementChild;
        const focused = document.activeElement?.closest?.(`[data-job="${each.job}"]`) && document.activeElement.dataset.act;
        if (known) known.element.replaceWith(fresh);
        else list.insertBefore(fresh, list.children[place] ?? null);
        if (focused) fresh.querySelector(`[data-act="${focused}"]`)?.focus();
        drawn.set(each.job, { element: fresh, mark, state: each.state });
        if (!first && each.state === "finished" && known?.state !== "finished") trigger("arrived", { job: each.job });
      });
      first = false;
    };

    const ask = async () => show(await server.follow({}));
    // An empty list is itself not displayed: whether the step is seen, its panel tells.
    TuneDesk.every(element.closest(".td-panel"), 1000, ask);
    element.addEventListener("click", async (event) => {
      const button = event.target.closest("[data-act]");
      if (!button) return;
      const job = button.closest("[data-job]").dataset.job;
      if (button.dataset.act === "use") {
        trigger("use", { job });
        return;
      }
      button.disabled = true;
      const wrong = await server.act({ job, what: button.dataset.act });
      await ask();
      if (wrong) {
        const said = document.createElement("p");
        said.className = "td-message is-bad";
        said.textContent = wrong;
        element.querySelector(`[data-job="${job}"]`)?.append(said);
      }
    });
  };
}
