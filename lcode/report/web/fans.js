// A run's details: its curves with the fans of their forecasts, and the signals that were logged beside them.

// 16-bit steps between `low` and `high`; the last step is a gap.
function unpack(low, high, text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const steps = new Uint16Array(bytes.buffer);
  return Array.from(steps, (s) => (s === 65535 ? NaN : low + (s / 65534) * (high - low)));
}

// One curve: observed, five quantiles ahead, what came; null where nothing is known of it. On the axis' own scale.
function curve(run, k) {
  const packed = data.curves[run]?.[k];
  if (!packed) return null;
  const [low, high, text, seenAt, aheadAt, laterAt, diverged] = packed;
  const values = unpack(low, high, text);
  const [epochs, ahead, later] = [seenAt, aheadAt, laterAt].map((place) => data.axes[place]);
  const from = epochs.length;
  const quantiles = [0, 1, 2, 3, 4].map((q) => values.slice(from + q * ahead.length, from + (q + 1) * ahead.length));
  return { epochs, seen: values.slice(0, from), ahead, quantiles, later, came: values.slice(from + 5 * ahead.length), diverged };
}

const observed = new Map();

// Curves of other runs, decoded once per metric.
function context(k) {
  if (!observed.has(k)) observed.set(k, data.context.map((run) => [run, curve(run, k)]).filter(([, c]) => c));
  return observed.get(k);
}

function band(axes, xs, low, high) {
  const [bottom, top] = [axes.inner.bottom, axes.inner.top];
  // What a logarithmic axis cannot show, 0 and less, lies below it.
  const y = (v) => (Number.isFinite(v) ? Math.min(bottom, Math.max(top, axes.y(v))) : bottom);
  const at = (i, v) => `${axes.x(xs[i]).toFixed(1)} ${y(v).toFixed(1)}`;
  const there = xs.map((_, i) => at(i, high[i]));
  const back = xs.map((_, i) => at(i, low[i])).reverse();
  return shape("path", { class: "band", d: `M${there.join("L")}L${back.join("L")}Z` });
}

function fan(run, k, width) {
  const metric = data.metrics[k];
  const own = curve(run, k);
  const others = context(k).filter(([other]) => other !== run);
  if (!own) return element("p", { class: "lead" }, "nothing is known of this curve");
  // The bulk of the others is enough: a few that never learnt would squeeze the panel.
  const bulk = others.flatMap(([, c]) => c.seen).filter(Number.isFinite).sort((a, b) => a - b);
  const inner = bulk.length ? [bulk[Math.floor(0.1 * bulk.length)], bulk[Math.floor(0.9 * (bulk.length - 1))]] : [];
  const [q05, q25, q50, q75, q95] = own.quantiles;
  const range = readable([...own.came, ...inner], [...own.seen, ...q05, ...q95]);
  const label = `${metric.key} of ${data.runs.name[run]}`;
  const axes = chart({ width, height: 210, x: [0, 1.02 * data.horizon], y: range, logY: metric.log, titleX: "epoch", label });
  const { root } = axes;
  root.append(shape("path", { class: "others", d: others.map(([, c]) => line(axes, c.epochs, c.seen)).join("") }));
  if (own.ahead.length) {
    // The fan opens at the last observed point, where nothing is uncertain.
    const start = own.epochs.length ? [own.epochs.at(-1)] : [];
    const open = (values) => [...own.seen.slice(-1), ...values];
    const xs = [...start, ...own.ahead];
    root.append(band(axes, xs, open(q05), open(q95)), band(axes, xs, open(q25), open(q75)));
    root.append(shape("path", { class: "median", d: line(axes, xs, open(q50)) }));
  }
  if (own.came.length > 1) root.append(shape("path", { class: "truth", d: line(axes, own.later, own.came) }));
  root.append(shape("path", { class: "seen", d: line(axes, own.epochs, own.seen) }));
  if (own.epochs.length <= 40) {
    const dots = own.epochs.filter((e, i) => axes.holds(e, own.seen[i])).length;
    const at = own.epochs.map((e, i) => (axes.holds(e, own.seen[i]) ? `M${axes.x(e).toFixed(1)} ${axes.y(own.seen[i]).toFixed(1)}h0` : ""));
    if (dots) root.append(shape("path", { class: "seen-dots", d: at.join("") }));
  }
  if (own.diverged !== null) {
    const x = axes.x(own.diverged);
    const y = axes.inner.top + 8;
    const side = x > width / 2 ? ["end", -9] : ["start", 9];
    root.append(shape("path", { class: "cross", d: `M${x - 5} ${y - 5}l10 10m0 -10l-10 10` }));
    root.append(shape("text", { class: "note", x: x + side[1], y: y + 4, "text-anchor": side[0] }, `diverged at epoch ${own.diverged}`));
  }
  return root;
}

function signalPanel(heading, lines, width) {
  const curves = lines.map(([label, place, low, high, text]) => ({ label, xs: data.signals.axes[place], ys: unpack(low, high, text) }));
  const all = curves.flatMap((c) => c.ys);
  const range = readable(all, heading === "gradient cosine" ? [0] : []);
  const axes = chart({ width, height: 170, x: [0, 1.02 * data.horizon], y: range, titleX: "epoch", label: heading });
  const legend = element("div", { class: "legend" });
  curves.forEach((c, i) => {
    axes.root.append(shape("path", { class: `curve hue-${i % 6}`, d: line(axes, c.xs, c.ys) }));
    const key = shape("svg", { class: "key", width: 18, height: 8 }, shape("path", { class: `curve hue-${i % 6}`, d: "M0 4H18" }));
    legend.append(element("span", {}, key, c.label));
  });
  return element("div", { class: "panel" }, element("h4", {}, heading, element("span", {}, "as logged")), axes.root, legend);
}

// Everything about a run, in a place that draws itself anew when its width changes.
function details(run) {
  const { runs, metrics } = data;
  const facts = [runs.action ? `rank ${run + 1}, ${runs.action[run]}` : null, `epochs seen ${runs.seen[run]}`];
  if (runs.best) facts.push(`P(best) ${runs.best[run]}`, `P(top 10 %) ${runs.top[run]}`, `${data.score} ${runs.score[run]}`);
  const place = element("div", { class: "panels" });
  const settings = runs.settings[run] ? element("p", { class: "lead" }, runs.settings[run]) : null;
  const inside = element("div", { class: "inside" }, element("p", {}, facts.filter((f) => f).join(" · ")), settings, place);
  const signals = Object.entries(data.signals.runs[run] ?? {});
  fitted(place, (width) => {
    const wide = panelWidth(width, metrics.length + signals.length);
    const panels = metrics.map((metric, k) => {
      const came = runs.came && runs.came[run][k] !== "–" ? element("span", { class: "came" }, `truly ${runs.came[run][k]}`) : null;
      const text = element("span", {}, `${metric.up ? "↑" : "↓"} ${runs.cells[run][k]}`);
      const panel = element("div", { class: "panel" }, element("h4", {}, metric.key, text, came), fan(run, k, wide));
      panel.style.width = `${wide}px`;
      return panel;
    });
    for (const [heading, lines] of signals) {
      const panel = signalPanel(heading, lines, wide);
      panel.style.width = `${wide}px`;
      panels.push(panel);
    }
    place.replaceChildren(...panels);
  });
  return inside;
}
