"""The page around a report's sections: style, the policy that forbids it the network, and the script that draws."""

from __future__ import annotations

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:;
  base-uri 'none'; form-action 'none'">
<title>$title</title>
<style>
body { margin: 0; background: #fff; color: #1f2328; font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 28px 24px 48px; }
h1 { margin: 0 0 4px; font-size: 26px; line-height: 1.25; overflow-wrap: anywhere; }
h2 { margin: 36px 0 8px; font-size: 18px; }
p { margin: 0 0 10px; max-width: 82ch; }
.lead { color: #57606a; font-size: 14px; }
ul { margin: 0; padding-left: 20px; max-width: 90ch; overflow-wrap: anywhere; }
.scroll { display: inline-block; box-sizing: border-box; max-width: 100%; overflow-x: auto; }
.scroll { border: 1px solid #d8dde3; border-radius: 6px; }
table { border-collapse: separate; border-spacing: 0; font-size: 13.5px; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 12px; text-align: left; white-space: nowrap; vertical-align: top; }
th { background: #f5f7f9; border-bottom: 1px solid #d8dde3; font-weight: 600; }
tbody tr + tr td { border-top: 1px solid #eceff2; }
.run { position: sticky; left: 0; }
td.run { max-width: 280px; background: #fff; font-weight: 600; overflow-wrap: break-word; white-space: normal; }
td.configuration { max-width: 640px; overflow: hidden; text-overflow: ellipsis; color: #57606a; font-size: 12.5px; }
.number { text-align: right; }
.continue { color: #0060a0; }
.stop { color: #b34700; font-weight: 600; }
.finished { color: #57606a; }
details { margin-top: 10px; }
summary { padding: 4px 0; color: #0060a0; cursor: pointer; }
.figure { width: 100%; }
@media (max-width: 700px) {
  main { padding: 18px 12px 32px; }
  h1 { font-size: 21px; }
  th, td { padding: 4px 8px; }
  td.run { max-width: 130px; }
}
</style>
</head>
<body>
<main>
<h1>$title</h1>
<p>$what</p>
<noscript><p><b>The figures need JavaScript; the tables do not.</b></p></noscript>
$content
</main>
<script>$plotly</script>
<script>
const narrow = matchMedia("(max-width: 700px)");
const options = {
  responsive: true,
  displaylogo: false,
  showSendToCloud: false,  // on by default since plotly.js 4: a button that uploads the figure's data
  plotlyServerURL: "",
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
};
for (const place of document.querySelectorAll(".figure")) {
  const content = JSON.parse(document.getElementById(place.id + "-data").textContent);
  const draw = () => {
    const layout = narrow.matches ? content.narrow.layout : content.figure.layout;
    place.style.height = layout.height + "px";
    const bar = narrow.matches ? false : "hover";
    Plotly.react(place, content.figure.data, layout, {...options, displayModeBar: bar});
  };
  draw();
  narrow.addEventListener("change", draw);
}
</script>
</body>
</html>
"""
"""A `string.Template` of `$title`, `$what`, `$content` (all HTML) and `$plotly` (JavaScript)."""
