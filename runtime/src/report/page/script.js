"use strict";
// shows the values at the pointer, and filters the charts
const at = document.getElementById("at");
const numbers = (text) => text.split(" ").map(Number);
for (const chart of document.querySelectorAll("svg.chart[data-x]")) {
  const [low, high, from, to] = numbers(chart.dataset.x);
  let cursor;
  chart.addEventListener("pointermove", (event) => {
    const box = chart.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * chart.viewBox.baseVal.width;
    const wanted = low + ((x - from) / (to - from)) * (high - low);
    const rows = [];
    let shown;
    for (const line of chart.querySelectorAll("path[data-steps]")) {
      if (!line.dataset.steps) continue;
      line.steps ??= numbers(line.dataset.steps);
      line.values ??= line.dataset.values.split(" ");
      let nearest = 0;
      line.steps.forEach((step, index) => {
        if (Math.abs(step - wanted) < Math.abs(line.steps[nearest] - wanted)) nearest = index;
      });
      const step = line.steps[nearest];
      if (shown === undefined || Math.abs(step - wanted) < Math.abs(shown - wanted)) shown = step;
      rows.push([line, step, line.values[nearest]]);
    }
    if (shown === undefined) return;
    const title = document.createElement("b");
    title.textContent = `step ${shown}`;
    at.replaceChildren(title);
    for (const [line, , value] of rows) {
      const row = document.createElement("div");
      const name = document.createElement("span");
      const swatch = document.createElement("span");
      swatch.className = `swatch ${line.classList[1]}`;
      name.append(swatch, line.dataset.name);
      row.append(name, value);
      at.append(row);
    }
    at.hidden = false;
    const left = event.clientX + 14 + at.offsetWidth > innerWidth ? event.clientX - 14 - at.offsetWidth : event.clientX + 14;
    at.style.left = `${Math.max(0, left)}px`;
    at.style.top = `${Math.max(0, Math.min(event.clientY + 14, innerHeight - at.offsetHeight))}px`;
    if (!cursor) {
      cursor = document.createElementNS("http://www.w3.org/2000/svg", "line");
      cursor.setAttribute("class", "cursor");
      cursor.setAttribute("y1", 8);
      cursor.setAttribute("y2", chart.viewBox.baseVal.height - 22);
      chart.append(cursor);
    }
    const place = from + ((shown - low) / (high - low)) * (to - from);
    cursor.setAttribute("x1", place);
    cursor.setAttribute("x2", place);
  });
  chart.addEventListener("pointerleave", () => {
    at.hidden = true;
    cursor?.remove();
    cursor = undefined;
  });
}
document.getElementById("search")?.addEventListener("input", (event) => {
  const wanted = event.target.value.toLowerCase();
  for (const card of document.querySelectorAll("#metrics .card")) {
    card.hidden = !card.dataset.title.toLowerCase().includes(wanted);
  }
});
