// The page's own behaviour, called from `js_on_load` of gr.HTML components. It holds no state of its own: what is
// chosen lives in the component's value, and the server answers for everything else.
Object.assign((window.TuneDesk ||= {}), {
  // Cards that work as radio buttons: keyboard and screen readers get real inputs.
  cards(element, props, trigger) {
    element.addEventListener("change", (event) => {
      const key = event.target.value;
      const cards = props.value.cards.map((card) => ({ ...card, selected: card.key === key }));
      props.value = { ...props.value, selected: key, cards };
      trigger("pick");
      // The cards are drawn anew; without this the arrow keys would lose their place.
      requestAnimationFrame(() => element.querySelector("input:checked")?.focus({ preventScroll: true }));
    });
    element.addEventListener("click", (event) => {
      const learn = event.target.closest("[data-learn]");
      if (learn) trigger("learn", { topic: learn.dataset.learn });
      if (!event.target.closest("[data-more]")) return;
      const cards = props.value.cards.map((card) => ({ ...card, further: false }));
      props.value = { ...props.value, more: "", cards };
    });
  },

  // The row of steps. The one that trains tells how far it is, on every page and in every tab.
  steps(element, props, trigger, server) {
    element.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-step]");
      if (button) trigger("go", { step: button.dataset.step });
    });
    const still = (value) => JSON.stringify(value.steps.map((step) => ({ ...step, note: step.live ? "" : step.note })));
    TuneDesk.every(element, 2000, async () => {
      const asked = props.value;
      if (!asked.steps) return;
      const now = await server.pulse(asked.chosen);
      if (props.value !== asked) return; // the person went on meanwhile
      // Only a note that counts is changed in its place, so that the focus stays.
      if (still(now) !== still(asked)) props.value = now;
      else element.querySelector("[data-live]").textContent = now.steps.find((step) => step.live).note;
    });
  },

  // A place to drop files on, or to click. They are sent one after the other.
  dropzone(element, props, trigger, upload) {
    const input = element.querySelector("input");
    const zone = element.querySelector(".td-drop");
    const send = async (files) => {
      if (!files.length) return;
      zone.classList.add("is-busy");
      const paths = [];
      let sent;
      try {
        for (sent of files) paths.push((await upload(sent)).path);
        trigger("uploaded", { paths });
      } catch {
        trigger("refused", { name: sent.name });
      } finally {
        zone.classList.remove("is-busy");
        input.value = "";
      }
    };
    input.addEventListener("change", () => send([...input.files]));
    for (const name of ["dragover", "dragleave", "drop"]) {
      zone.addEventListener(name, (event) => {
        event.preventDefault();
        zone.classList.toggle("is-over", name === "dragover");
        if (name === "drop") send([...event.dataTransfer.files]);
      });
    }
  },

  chips(element, trigger) {
    element.addEventListener("click", (event) => {
      const chip = event.target.closest("[data-chip]");
      if (chip) trigger("pick", { index: Number(chip.dataset.chip) });
    });
  },

  // Runs `work` every `ms` while the element is shown (not on a page or in a tab that is hidden), and when it comes to be
  // shown; never twice at once.
  every(element, ms, work) {
    let busy = false;
    const tick = async () => {
      if (!element.isConnected) {
        clearInterval(timer);
        appearance.disconnect();
        document.removeEventListener("visibilitychange", tick);
        return;
      }
      if (busy || document.hidden || !element.getClientRects().length) return;
      busy = true;
      try {
        await work();
      } catch (error) {
        // The server is away (restarting, closed): the next tick asks again.
        if (!(error instanceof TypeError)) throw error;
      } finally {
        busy = false;
      }
    };
    const timer = setInterval(tick, ms);
    const appearance = new IntersectionObserver(tick);
    appearance.observe(element);
    document.addEventListener("visibilitychange", tick);
    tick();
  },
});
