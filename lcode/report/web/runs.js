// The table of runs: sorted by any column, searched, filtered by what to do; a row opens its run's forecast.

(() => {
  const { runs, metrics } = data;
  const place = document.getElementById("runs");
  const count = runs.name.length;
  const BATCH = 50;

  // "0.71 [0.68, 0.74]" with its ends on a second line where there is little room.
  function number(text) {
    const cut = text.indexOf(" [");
    if (cut < 0) return [text];
    return [text.slice(0, cut), element("span", { class: "ends" }, text.slice(cut))];
  }

  function scoreBar(run) {
    const [low, middle, high] = runs.scores[run];
    if (middle === null) return null;
    const [from, to] = scoreRange;
    const x = (v) => Math.min(118, Math.max(2, 2 + (116 * (v - from)) / (to - from || 1)));
    const path = shape("path", { class: "bar-range", d: `M${x(low)} 5H${x(high)}` });
    const dot = shape("circle", { class: "bar-middle", cx: x(middle), cy: 5, r: 3 });
    return shape("svg", { class: "bar", width: 120, height: 10, "aria-hidden": "true" }, path, dot);
  }

  const scoreRange = runs.scores ? readable(runs.scores.flat().filter((v) => v !== null)) : [0, 1];
  const actions = ["stop", "skip", "start", "continue", "finished", "stopped", "failed"];
  const lead = [
    {
      title: "run",
      key: (i) => runs.name[i].toLowerCase(),
      cell: (i, open) => {
        const button = element("button", { type: "button", "aria-expanded": String(open), title: runs.name[i] }, runs.name[i]);
        return [element("div", {}, element("span", { class: "rank", title: "rank" }, String(i + 1)), button)];
      },
      kind: "name",
    },
  ];
  if (runs.action) {
    lead.push(
      { title: "action", key: (i) => actions.indexOf(runs.action[i]), cell: (i) => [element("span", { class: runs.action[i] }, runs.action[i])] },
      { title: "score", hint: data.score, key: (i) => runs.scores[i][1], cell: (i) => [...number(runs.score[i]), scoreBar(i)], kind: "number", down: data.scoreUp },
      { title: "P(best)", key: (i) => runs.bests[i], cell: (i) => [runs.best[i]], kind: "number", down: true },
    );
  }
  if (runs.feasible) lead.push({ title: "P(feasible)", key: (i) => runs.feasibles[i], cell: (i) => [runs.feasible[i]], kind: "number", down: true });
  const seen = (i) => Number.parseFloat(runs.seen[i]);
  const more = [{ title: "seen", key: seen, cell: (i) => [runs.seen[i]], kind: "number", down: true }];
  metrics.forEach((metric, k) => {
    const came = (i) => (runs.came && runs.came[i][k] !== "–" ? element("span", { class: "came" }, `truly ${runs.came[i][k]}`) : null);
    const title = `${metric.key}\u00a0${metric.up ? "↑" : "↓"}`;
    more.push({ title, key: (i) => runs.middle[i][k], cell: (i) => [...number(runs.cells[i][k]), came(i)], kind: "number", down: metric.up });
  });
  if (runs.tops) more.push({ title: "P(top 10 %)", key: (i) => runs.tops[i], cell: (i) => [runs.top[i]], kind: "number", down: true });
  if (runs.config.some((text) => text)) {
    more.push({ title: "configuration", key: (i) => runs.config[i], cell: (i) => [runs.config[i] || "–"], kind: "config" });
  }
  const columns = [...lead, ...more];

  const state = { column: -1, down: false, action: "", query: "", shown: BATCH, open: new Set() };
  const searched = runs.name.map((name, i) => `${name} ${runs.settings[i]}`.toLowerCase());

  function chosen() {
    const words = state.query.toLowerCase().split(/\s+/).filter((word) => word);
    const kept = [];
    for (let i = 0; i < count; i++) {
      if (state.action && runs.action[i] !== state.action) continue;
      if (words.every((word) => searched[i].includes(word))) kept.push(i);
    }
    if (state.column < 0) return kept;
    const keys = new Map(kept.map((i) => [i, columns[state.column].key(i)]));
    const none = (key) => key === null || Number.isNaN(key);
    return kept.sort((a, b) => {
      const [one, other] = [keys.get(a), keys.get(b)];
      if (none(one) || none(other)) return none(one) - none(other) || a - b;
      const order = typeof one === "string" ? one.localeCompare(other, undefined, { numeric: true }) : one - other;
      return (state.down ? -order : order) || a - b;
    });
  }

  // A long name breaks after its separators.
  const breakable = (title) => title.split(/(?<=[/_.-])/).flatMap((part, i) => (i ? [element("wbr"), part] : [part]));

  const heads = columns.map((column, c) => {
    const button = element("button", { type: "button", onclick: () => sort(c) }, ...breakable(column.title));
    const classes = `${column.kind ?? ""} ${c < lead.length ? `lead-column lead-${c}` : "more"}`;
    return element("th", { class: classes, scope: "col", "aria-sort": "none", title: column.hint ?? null }, button);
  });
  const body = element("tbody");
  const shownTable = element("table", {}, element("thead", {}, element("tr", {}, ...heads)), body);
  const scroll = element("div", { class: "scroll runs", tabindex: "0", "aria-label": "runs" }, shownTable);
  const status = element("span", { class: "lead", "aria-live": "polite" });
  const further = element("button", { type: "button", onclick: () => ((state.shown += 4 * BATCH), render()) });
  const search = element("input", { type: "search", placeholder: "search names and settings", "aria-label": "search" });
  search.addEventListener("input", () => ((state.query = search.value), (state.shown = BATCH), render()));
  const tools = element("div", { class: "tools" }, search, ...filters(), status);

  function filters() {
    if (!runs.action) return [];
    const present = actions.filter((action) => runs.action.includes(action));
    const choices = [["", `all ${count}`], ...present.map((a) => [a, `${a} ${runs.action.filter((b) => b === a).length}`])];
    return choices.map(([action, text]) => {
      const press = () => {
        Object.assign(state, { action, shown: BATCH });
        for (const other of tools.querySelectorAll("button[data-action]")) {
          other.setAttribute("aria-pressed", String(other.dataset.action === action));
        }
        render();
      };
      return element("button", { type: "button", "data-action": action, "aria-pressed": String(!action), onclick: press }, text);
    });
  }

  function sort(c) {
    const again = state.column === c;
    state.down = again ? !state.down : Boolean(columns[c].down);
    state.column = c;
    heads.forEach((head, i) => head.setAttribute("aria-sort", i !== c ? "none" : state.down ? "descending" : "ascending"));
    render();
  }

  function row(i) {
    const open = state.open.has(i);
    const cells = columns.map((column, c) => {
      const classes = `${column.kind ?? ""} ${c < lead.length ? `lead-column lead-${c}` : "more"}`;
      const title = column.kind === "config" ? runs.config[i] : null;
      return element("td", { class: classes, title }, ...column.cell(i, open).filter((part) => part !== null));
    });
    return element("tr", { class: open ? "run-row open" : "run-row", "data-run": String(i), onclick: () => toggle(i) }, ...cells);
  }

  function detail(i) {
    const inside = details(i);
    return element("tr", { class: "detail" }, element("td", {}, inside));
  }

  function toggle(i) {
    if (String(getSelection()) !== "") return; // a name is being copied
    const old = body.querySelector(`tr[data-run="${i}"]`);
    if (state.open.delete(i)) old.nextElementSibling.remove();
    else state.open.add(i);
    const fresh = row(i);
    old.replaceWith(fresh);
    if (state.open.has(i)) fresh.after(detail(i));
    place_leads();
    fresh.querySelector("button").focus({ preventScroll: true });
  }

  // The columns that say what to do stay in view when the metrics are scrolled.
  function place_leads() {
    let left = 0;
    for (let c = 0; c < lead.length; c++) {
      for (const cell of shownTable.querySelectorAll(`.lead-${c}`)) cell.style.left = `${left}px`;
      left += heads[c].offsetWidth;
    }
    // Folded columns are no columns: a cell that spanned them would make some of its own.
    const columnsShown = heads.filter((head) => head.offsetWidth).length;
    for (const inside of body.querySelectorAll(".inside")) {
      inside.style.width = `${scroll.clientWidth}px`;
      inside.parentElement.colSpan = columnsShown;
    }
  }

  function render() {
    const kept = chosen();
    const rows = kept.slice(0, state.shown).flatMap((i) => (state.open.has(i) ? [row(i), detail(i)] : [row(i)]));
    body.replaceChildren(...rows);
    const left = kept.length - Math.min(kept.length, state.shown);
    further.hidden = !left;
    further.textContent = `show ${Math.min(left, 4 * BATCH)} more of ${left}`;
    status.textContent = kept.length === count ? "" : `${kept.length} of ${count} runs`;
    place_leads();
  }

  place.replaceChildren(tools, scroll, element("p", { class: "tools" }, further));
  render();
  new ResizeObserver(place_leads).observe(scroll);

})();
