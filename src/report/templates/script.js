"use strict";
for (const chart of document.querySelectorAll(".chart")) {
  const data = JSON.parse(chart.querySelector("script").textContent);
  const area = chart.querySelector(".area");
  const cursor = document.createElement("div");
  const tip = document.createElement("div");
  cursor.className = "cursor";
  tip.className = "tip";
  cursor.hidden = tip.hidden = true;
  area.append(cursor, tip);
  let shown = data.epochs.length - 1;

  const show = (place) => {
    shown = Math.max(0, Math.min(data.epochs.length - 1, place));
    const left = data.places[shown] * 100;
    cursor.style.left = left + "%";
    tip.replaceChildren("epoch " + data.epochs[shown]);
    for (const line of data.lines) {
      if (line.values[shown] === null) continue;
      const row = document.createElement("div");
      row.className = line.class;
      row.textContent = line.name + ": " + line.values[shown];
      tip.append(row);
    }
    tip.style.left = left > 50 ? "auto" : "calc(" + left + "% + 8px)";
    tip.style.right = left > 50 ? "calc(" + (100 - left) + "% + 8px)" : "auto";
    cursor.hidden = tip.hidden = false;
  };
  const hide = () => { cursor.hidden = tip.hidden = true; };
  const nearest = (event) => {
    const box = area.getBoundingClientRect();
    const at = (event.clientX - box.left) / box.width;
    let low = 0, high = data.places.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (data.places[middle] < at) low = middle; else high = middle;
    }
    show(at - data.places[low] < data.places[high] - at ? low : high);
  };
  area.addEventListener("pointermove", nearest);
  area.addEventListener("pointerdown", nearest);
  area.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") hide(); });
  area.addEventListener("focus", () => show(shown));
  area.addEventListener("blur", hide);
  area.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    show(shown + step);
  });
}
