// Figures of all runs together, and the switch of colours.

function pareto(place) {
  const { runs, metrics } = data;
  const names = data.fronts.map(({ pair: [a, b] }) => `${metrics[a].key} and ${metrics[b].key}`);
  const choice = element("select", { "aria-label": "metrics" }, ...names.map((name, i) => element("option", { value: String(i) }, name)));
  const canvas = element("div");
  const list = element("p", { class: "lead" });
  place.replaceChildren(...(names.length > 1 ? [element("p", {}, choice)] : []), canvas, list);

  function draw(width) {
    const { pair, percent } = data.fronts[Number(choice.value)];
    const scaled = (run, k, v) => (v === null ? NaN : metrics[k].log ? (v > 0 ? Math.log10(v) : NaN) : v);
    const at = (run, k) => scaled(run, k, runs.middle[run][k]);
    const all = runs.name.map((_, run) => pair.map((k) => at(run, k)));
    const likely = all.map((_, run) => run).filter((run) => percent[run] >= 5);
    const ends = (axis) => likely.flatMap((run) => data.ends[run][pair[axis]].map((v) => scaled(run, pair[axis], v)));
    const ranges = [0, 1].map((axis) => readable(all.map((p) => p[axis]), ends(axis)));
    const title = (k) => `${metrics[k].key} (${metrics[k].up ? "higher" : "lower"} is better)`;
    const axes = chart({
      width: Math.min(width, 860), height: 380, x: ranges[0], y: ranges[1], logX: metrics[pair[0]].log, logY: metrics[pair[1]].log,
      titleX: title(pair[0]), label: `Pareto front of ${names[Number(choice.value)]}`,
    });
    const grey = all.map(([x, y], run) => (percent[run] < 5 && axes.holds(x, y) ? `M${axes.x(x).toFixed(1)} ${axes.y(y).toFixed(1)}h0` : ""));
    axes.root.append(shape("path", { class: "dots", d: grey.join("") }));
    for (const run of likely) {
      const [x, y] = all[run];
      if (!axes.holds(x, y)) continue;
      const [[left, right], [low, high]] = pair.map((k) => data.ends[run][k].map((v) => scaled(run, k, v)));
      const whisker = `M${axes.x(left)} ${axes.y(y)}H${axes.x(right)}M${axes.x(x)} ${axes.y(low)}V${axes.y(high)}`;
      if ([left, right, low, high].every(Number.isFinite)) axes.root.append(shape("path", { class: "whisker", d: whisker }));
      const size = 3 + 5 * Math.sqrt(percent[run] / 100);
      const dot = axes.root.appendChild(shape("circle", { class: "dot", cx: axes.x(x), cy: axes.y(y), r: size }));
      explain(dot, `${runs.name[run]}: ${pair.map((k) => `${metrics[k].key} ${runs.cells[run][k]}`).join(", ")}; P(on the front) ${percent[run]} %`);
    }
    const best = likely.toSorted((a, b) => percent[b] - percent[a]).slice(0, 8);
    list.textContent = `${title(pair[1])} upwards. Likeliest on the front: ${best.map((run) => `${runs.name[run]} ${percent[run]}\u00a0%`).join(", ") || "none above 5 %"}.`;
    canvas.replaceChildren(axes.root);
  }
  choice.addEventListener("change", () => draw(canvas.clientWidth));
  fitted(canvas, draw);
}

function savings(place) {
  fitted(place, (width) => {
    const highest = Math.max(...data.savings.map(({ regret }) => regret[2] ?? 0)) || 1;
    const axes = chart({ width: Math.min(width, 640), height: 300, x: [-2, 102], y: [-0.05 * highest, 1.15 * highest], titleX: "epochs saved (%)", label: "compute saved against regret" });
    const legend = element("div", { class: "legend" });
    data.savings.forEach(({ name, saved, regret }, i) => {
      const key = shape("svg", { class: "key", width: 18, height: 8 }, shape("path", { class: `curve hue-${i % 6}`, d: "M0 4H18" }));
      legend.append(element("span", {}, key, `${name}: ${saved[1].toFixed(0)} % saved, regret ${regret[1] === null ? "unknown" : short(regret[1])}`));
      if (regret[1] === null) return;
      const [x, y] = [axes.x(saved[1]), axes.y(regret[1])];
      const spread = `M${axes.x(saved[0])} ${y}H${axes.x(saved[2])}M${x} ${axes.y(regret[0])}V${axes.y(regret[2])}`;
      axes.root.append(shape("path", { class: `hue-${i % 6}`, d: spread }), shape("circle", { class: `curve hue-${i % 6}`, cx: x, cy: y, r: 5 }));
    });
    place.replaceChildren(axes.root, legend);
  });
}

function stopping(place) {
  const { below, stopped, saved, regret, chosen } = data.stopping;
  const known = below.map((_, i) => i).filter((i) => regret[i] !== null);
  const highest = Math.max(0, ...known.map((i) => regret[i]));
  const around = place.parentElement;
  if (!highest) return place.remove(); // a flat line says less than the table
  fitted(around, (full) => {
    const width = Math.min(full, 520);
    const axes = chart({
      width, height: 260, x: [-3, 103], y: [-0.06 * highest, 1.1 * highest], titleX: "epochs to come that are saved (%)",
      label: "expected regret against epochs saved, by threshold",
    });
    axes.root.append(shape("text", { x: axes.inner.left + 8, y: axes.inner.top + 10 }, "expected regret"));
    axes.root.append(shape("path", { class: "median", d: line(axes, known.map((i) => saved[i]), known.map((i) => regret[i])) }));
    for (const i of known) {
      const [x, y] = [axes.x(saved[i]), axes.y(regret[i])];
      const dot = axes.root.appendChild(shape("circle", { class: i === chosen ? "dot chosen" : "dot", cx: x, cy: y, r: i === chosen ? 7 : 3 }));
      explain(dot, `chance below ${short(below[i])} %: ${stopped[i]} stopped, ${saved[i].toFixed(0)} % saved, expected regret ${short(regret[i])}`);
      if (i !== chosen) continue;
      const [anchor, side] = x > width / 2 ? ["end", -11] : ["start", 11];
      axes.root.append(shape("text", { class: "note", x: x + side, y: y - 10, "text-anchor": anchor }, "as advised"));
    }
    place.replaceChildren(axes.root);
  });
}

function hits(place) {
  place.className = "panels";
  fitted(place, (width) => {
    const wide = panelWidth(width, data.hits.length);
    place.replaceChildren(
      ...data.hits.map((hit, k) => {
        const log = data.metrics[k].log;
        const scaled = (v) => (v === null ? NaN : log ? (v > 0 ? Math.log10(v) : NaN) : v);
        const [truth, told] = [hit.true.map(scaled), hit.forecast.map((ends) => ends.map(scaled))];
        const range = readable([...truth, ...told.flat()]);
        const axes = chart({ width: wide, height: wide, x: range, y: range, logX: log, logY: log, titleX: "true value", label: `forecast against true ${hit.key}` });
        axes.root.append(shape("path", { class: "identity", d: line(axes, range, range) }));
        truth.forEach((x, i) => {
          const [low, middle, high] = told[i];
          if (!axes.holds(x, middle)) return;
          axes.root.append(shape("path", { class: "whisker", d: line(axes, [x, x], [Math.max(low, range[0]), Math.min(high, range[1])]) }));
          const dot = axes.root.appendChild(shape("circle", { class: "dot", cx: axes.x(x), cy: axes.y(middle), r: 4 }));
          explain(dot, `${hit.names[i]}: forecast ${short(hit.forecast[i][1], 4)}, truly ${short(hit.true[i], 4)}`);
        });
        const tau = hit.tau === null ? "" : `, τ ${hit.tau.toFixed(2)}`;
        const text = element("span", {}, ` ${hit.held} of ${hit.names.length} inside their interval${tau}`);
        return element("div", { class: "panel" }, element("h4", {}, hit.key, text), axes.root);
      }),
    );
  });
}

for (const [name, draw] of Object.entries({ pareto, stopping, savings, hits })) {
  const place = document.getElementById(name);
  if (place) draw(place);
}

const modes = ["system", "dark", "light"];
const themeSwitch = document.getElementById("theme");
themeSwitch.addEventListener("click", () => {
  const next = modes[(modes.indexOf(themeSwitch.dataset.mode ?? "system") + 1) % modes.length];
  themeSwitch.dataset.mode = next;
  themeSwitch.querySelector("span").textContent = next;
  if (next === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
});
