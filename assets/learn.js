// What the Learn step shows that is made of figures, and how its buttons tell where they lead.
{
  const { html, when } = TuneDesk.markup;

  // Buttons that lead to a lesson (data-topic) or choose a method to train with (data-take); the list's own select too.
  TuneDesk.topics = (element, trigger) => {
    const go = (topic) => {
      trigger("go", { topic });
      // From the foot of a lesson to the head of the next; the steps stay in sight.
      const top = document.querySelector("#steps").getBoundingClientRect().top;
      if (top < 0) window.scrollBy({ top, behavior: "smooth" });
    };
    element.addEventListener("click", (event) => {
      const button = event.target.closest("[data-topic], [data-take]");
      if (!button) return;
      if (button.dataset.take) trigger("take", { method: button.dataset.take });
      else go(button.dataset.topic);
    });
    element.addEventListener("change", (event) => go(event.target.value));
  };

  const histogram = ({ histogram: bins, levels, words }) => {
    const [width, height, foot] = [640, 190, 24];
    const x = (share) => ((share + 1) / 2) * width;
    const area = (shares) => Math.max(...shares);
    const [most, mostLevel] = [area(bins), area(levels.map(([, share]) => share))];
    // Two pictures over one axis: the weights before above it, the share of each level after below it.
    const bar = (left, breadth, share, most, kind) => {
      const tall = (share / most) * (height / 2 - 14);
      const top = kind === "is-before" ? height / 2 - tall : height / 2 + foot;
      return html`<rect class="${kind}" x="${left.toFixed(2)}" y="${top.toFixed(2)}" width="${breadth.toFixed(2)}"
        height="${tall.toFixed(2)}" rx="1"></rect>`;
    };
    const step = width / bins.length;
    const thin = levels.length > 20 ? 1.6 : 9;
    return html`
      <svg class="td-histogram" viewBox="-8 0 ${width + 16} ${height + foot + 4}" role="img"
        aria-label="${words.before}; ${words.after}">
        ${bins.map((share, i) => bar(i * step + 0.5, step - 1, share, most, "is-before"))}
        ${levels.map(([level, share]) => bar(x(level) - thin / 2, thin, share, mostLevel, "is-after"))}
        <line x1="0" x2="${width}" y1="${height / 2 + 1}" y2="${height / 2 + 1}"></line>
        ${[-1, -0.5, 0, 0.5, 1].map((at) => html`<text x="${x(at)}" y="${height / 2 + 17}"
          text-anchor="${at === -1 ? "start" : at === 1 ? "end" : "middle"}">${String(at).replace("-", "−")}</text>`)}
      </svg>
      <p class="td-legend"><span><i class="is-before"></i>${words.before}</span><span><i class="is-trained"></i>${words.after}</span></p>
      <p class="td-sub">${words.axis} ${words.part}</p>`;
  };

  Object.assign(TuneDesk.draw, {
    topics: (value) => when(value.parts, html`
      <nav class="td-topics" aria-label="${value.label}">${value.parts?.map((part) => html`
        <h4>${part.title}</h4>
        ${part.lessons.map((lesson) => html`<button type="button" data-topic="${lesson.key}"
          ${when(lesson.current, html`aria-current="page"`)}>${lesson.title}</button>`)}`)}
        <select aria-label="${value.label}">${value.parts?.map((part) => html`<optgroup label="${part.title}">
          ${part.lessons.map((lesson) => html`<option value="${lesson.key}" ${when(lesson.current, "selected")}>${lesson.title}</option>`)}
        </optgroup>`)}</select></nav>`),

    bits: (value) => when(value.rows, html`
      <div class="td-formats">${value.rows?.map((row) => html`
        <section>
          <header><b>${row.label}</b><span>${row.summary}</span></header>
          <div class="td-bits" aria-label="${row.bits.map((each) => each.bit).join("")}">${row.bits.map(
            (each) => html`<i class="is-${each.kind}">${each.bit}</i>`)}</div>
          <p><span>${row.size} ${value.words.bits}</span><span>${value.words.held} <b>${row.value}</b></span>
            <span>${row.off}</span></p>
        </section>`)}
      </div>
      <p class="td-legend">${value.kinds?.map((each) => html`<span><i class="is-${each.kind}"></i>${each.label}</span>`)}</p>`),

    quantised: (value) => when(value.stats, html`
      ${value.stats && histogram(value)}
      <div class="td-stats">${value.stats?.map((fact) => html`<div class="td-stat">
        <small>${fact.label}</small><b>${fact.value}</b><span>${fact.note}</span></div>`)}</div>`),

    advice: (value) => html`
      <section class="td-advice" aria-live="polite"><small>${value.label}</small><h3>${value.title}</h3><p>${value.why}</p>
        <div>${when(value.method, html`<button type="button" class="td-take" data-take="${value.method}">${value.take}</button>`)}
          <button type="button" class="td-link" data-topic="${value.topic}">${value.learn}</button></div></section>`,
  });
}
