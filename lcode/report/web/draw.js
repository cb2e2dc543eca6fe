// Elements, axes and lines. Texts only ever become text nodes, so that no name can do anything.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

function shape(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function short(value, digits = 3) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 1e6 || size < 1e-4 ? value.toExponential(digits - 1) : String(Number(value.toPrecision(digits)));
  return text.replace(/\.?0+e/, "e").replace("e+", "e");
}

// Round numbers inside [low, high]: about `count` of them, or the decades of a logarithmic axis.
function ticks(low, high, count, log) {
  if (log && high - low >= 1) {
    const step = Math.ceil((high - low) / count);
    const found = [];
    for (let t = Math.ceil(low); t <= high; t += step) found.push(t);
    return found.map((t) => [t, short(10 ** t, 2)]);
  }
  const raw = (high - low) / count || 1;
  const unit = 10 ** Math.floor(Math.log10(raw));
  const step = unit * [1, 2, 5, 10].find((m) => m * unit >= raw * 0.999);
  const found = [];
  for (let n = Math.ceil(low / step); n * step <= high * (1 + 1e-12) + 1e-300 && found.length < 50; n++) found.push(n * step);
  const digits = Math.max(3, Math.ceil(Math.log10(Math.max(Math.abs(low), Math.abs(high)) / step || 1)) + 1);
  return found.map((t) => [t, log ? short(10 ** t, 2) : short(Math.abs(t) < step / 1e6 ? 0 : t, digits)]);
}

// The range in which values can be read: what lies ten inter-quartile ranges outside the quartiles (a run that is
// diverging) is left out. `whole` values are always inside.
function readable(values, whole = []) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  const at = (share) => sorted[Math.round(share * (sorted.length - 1))];
  let [low, high] = [Infinity, -Infinity];
  if (sorted.length) {
    const spread = at(0.75) - at(0.25) || sorted.at(-1) - sorted[0];
    low = Math.max(sorted[0], at(0.25) - 10 * spread);
    high = Math.min(sorted.at(-1), at(0.75) + 10 * spread);
  }
  for (const value of whole) if (Number.isFinite(value)) [low, high] = [Math.min(low, value), Math.max(high, value)];
  if (!(low <= high)) return [0, 1];
  const room = 0.06 * (high - low) || 0.05 * Math.abs(high) || 1;
  return [low - room, high + room];
}

// An SVG with axes. `x` and `y` of the result turn values (logarithms, on a logarithmic axis) into pixels.
function chart({ width, height, x, y, logX = false, logY = false, titleX = "", label }) {
  const labels = ticks(y[0], y[1], Math.max(2, height / 45), logY);
  const left = 12 + 6.2 * Math.max(3, ...labels.map(([, text]) => text.length));
  const bottom = titleX ? 34 : 20;
  const inner = { left, right: width - 8, top: 6, bottom: height - bottom };
  const toX = (v) => inner.left + ((v - x[0]) / (x[1] - x[0] || 1)) * (inner.right - inner.left);
  const toY = (v) => inner.bottom - ((v - y[0]) / (y[1] - y[0] || 1)) * (inner.bottom - inner.top);
  const root = shape("svg", { width, height, role: "img", "aria-label": label });
  for (const [value, text] of labels) {
    const at = toY(value);
    root.append(shape("path", { class: "grid", d: `M${inner.left} ${at}H${inner.right}` }));
    root.append(shape("text", { x: inner.left - 6, y: at + 4, "text-anchor": "end" }, text));
  }
  for (const [value, text] of ticks(x[0], x[1], Math.max(2, width / 80), logX)) {
    root.append(shape("text", { x: toX(value), y: inner.bottom + 15, "text-anchor": "middle" }, text));
  }
  if (titleX) {
    const middle = (inner.left + inner.right) / 2;
    root.append(shape("text", { x: middle, y: height - 4, "text-anchor": "middle" }, titleX));
  }
  root.append(shape("path", { class: "frame", d: `M${inner.left} ${inner.top}V${inner.bottom}H${inner.right}` }));
  const inside = (v, range) => Number.isFinite(v) && v >= range[0] && v <= range[1];
  return { root, x: toX, y: toY, inner, holds: (a, b) => inside(a, x) && inside(b, y) };
}

// A polyline of the points inside the axes: one that leaves them is lifted, not drawn as an upright stroke.
function line(axes, xs, ys) {
  let path = "";
  let down = false;
  for (let i = 0; i < xs.length; i++) {
    if (!axes.holds(xs[i], ys[i])) {
      down = false;
      continue;
    }
    path += `${down ? "L" : "M"}${axes.x(xs[i]).toFixed(1)} ${axes.y(ys[i]).toFixed(1)}`;
    down = true;
  }
  return path;
}

const tip = document.body.appendChild(element("div", { class: "tip", hidden: "" }));

function explain(target, text) {
  target.addEventListener("pointerenter", (event) => {
    tip.textContent = text;
    tip.hidden = false;
    tip.style.left = `${Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${Math.max(event.clientY - tip.offsetHeight - 10, 4)}px`;
  });
  target.addEventListener("pointerleave", () => (tip.hidden = true));
}

// Draws now and whenever the place has got another width.
function fitted(place, draw) {
  let width = 0;
  new ResizeObserver(() => {
    const now = place.clientWidth;
    if (!now || now === width) return;
    width = now;
    draw(now);
  }).observe(place);
}

// So many panels beside each other, and how wide each is.
function panelWidth(width, panels) {
  const columns = Math.max(1, Math.min(panels, Math.floor((width + 14) / 290)));
  return Math.min(520, Math.floor((width - 14 * (columns - 1)) / columns));
}
