// SPDX-License-Identifier: Apache-2.0
// What moves in a report: values under the pointer, a logarithmic scale, smoothing, and runs that are switched off.
// Everything else is there without it.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("report-data").textContent);
  const announcer = document.getElementById("announcer");
  const svgName = "http://www.w3.org/2000/svg";
  const colours = 7;
  const state = { isLogarithmic: false, smoothing: 0, hidden: new Set() };

  // Numbers as ReportNumbers writes them.
  const number = (value) => {
    if (Number.isInteger(value) && Math.abs(value) < 1e9) return grouped(String(value));
    const [mantissa, exponent] = value.toExponential(3).split("e");
    if (exponent < -3 || exponent > 8) {
      const raised = [...String(Math.abs(exponent))].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join("");
      return `${Number(mantissa)}×10${exponent < 0 ? "⁻" : ""}${raised}`;
    }
    return grouped(String(Number(value.toFixed(Math.max(0, 3 - exponent)))));
  };
  const grouped = (text) => {
    const [whole, rest] = text.replace("-", "−").split(".");
    return whole.replace(/\B(?=(\d{3})+$)/g, ",") + (rest ? "." + rest : "");
  };
  const percent = (share) => `${Number((100 * share).toFixed(2))} %`;

  // Exponential moving average, corrected for its beginning as Adam corrects its own.
  const smoothed = (values, share) => {
    let [mean, weight] = [0, 0];
    return values.map((value) => {
      mean = share * mean + (1 - share) * value;
      weight = share * weight + (1 - share);
      return mean / weight;
    });
  };

  const evenTicks = (low, high) => {
    const power = 10 ** Math.floor(Math.log10((high - low) / 5));
    const step = power * [1, 2, 5, 10].find((factor) => (high - low) / (factor * power) <= 6);
    const ticks = [];
    for (let index = Math.ceil(low / step); index * step <= high + step * 1e-9; index++) ticks.push(index * step);
    return ticks;
  };
  const logarithmicTicks = (low, high) => {
    const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
    const stride = Math.max(1, Math.floor((last - first) / 6));
    const ticks = [];
    for (let decade = first; decade <= last; decade += stride) {
      for (const step of last - first > 3 ? [1] : [1, 2, 5]) ticks.push(step * 10 ** decade);
    }
    const inside = ticks.filter((tick) => tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9));
    return inside.length > 1 ? inside : evenTicks(low, high).filter((tick) => tick > 0);
  };
  const makeScale = (values, baseline, isLogarithmic) => {
    const used = isLogarithmic ? values.filter((value) => value > 0) : values;
    if (used.length === 0) return isLogarithmic ? makeScale(values, baseline, false) : makeScale([0, 1], "never", false);
    let low = used.reduce((a, b) => Math.min(a, b));
    let high = used.reduce((a, b) => Math.max(a, b));
    if (isLogarithmic) {
      if (high <= low) high = low * 10;
      const span = Math.log(high / low);
      return { ticks: logarithmicTicks(low, high), position: (v) => (v > 0 ? Math.log(v / low) / span : null) };
    }
    if (baseline === "always" || (baseline === "near" && low < high / 3)) low = Math.min(0, low);
    if (high <= low) high = low + Math.max(1, Math.abs(low) / 8);
    return { ticks: evenTicks(low, high), position: (v) => (v - low) / (high - low) };
  };

  const path = (parent, className, d) => {
    const element = document.createElementNS(svgName, "path");
    element.setAttribute("class", className);
    element.setAttribute("d", d);
    parent.append(element);
  };
  const at = (share) => Math.round(share * 10000) / 10;

  class Chart {
    constructor(content) {
      this.content = content;
      this.figure = document.getElementById(`chart-${content.id}`);
      this.plot = this.figure.querySelector(".plot");
      this.area = this.figure.querySelector(".area");
      this.xs = makeScale(content.series.flatMap((series) => series.x), "never", false);
      this.text = content.isShare ? percent : number;
      this.readout = document.createElement("div");
      this.readout.className = "readout";
      this.readout.hidden = true;
      this.area.append(this.readout);
      this.all = [...new Set(content.series.flatMap((series) => series.x))].sort((a, b) => a - b);
      this.listen();
    }

    get visible() { return this.content.series.filter((series) => !state.hidden.has(series.run)); }

    draw() {
      const lines = this.visible.map((series) => ({
        series, y: series.isDotted || state.smoothing === 0 ? series.y : smoothed(series.y, state.smoothing),
      }));
      const values = lines.flatMap((line) => line.series.y);
      const ys = makeScale(values, this.content.baseline, state.isLogarithmic);
      this.lines = lines;

      const curves = this.figure.querySelector(".curves");
      const rules = this.figure.querySelector(".rules");
      const axis = this.figure.querySelector(".y-axis");
      for (const part of [curves, rules, axis]) part.replaceChildren();
      for (const tick of ys.ticks) {
        const position = ys.position(tick);
        path(rules, "rule", `M0 ${at(1 - position)}H1000`);
        const label = document.createElement("span");
        label.style.bottom = `${100 * position}%`;
        label.textContent = this.text(tick);
        axis.append(label);
      }
      for (const { series, y } of lines) {
        const places = (values) => values.flatMap((value, index) => {
          const height = ys.position(value);
          return height === null ? [] : [`${at(this.xs.position(series.x[index]))} ${at(1 - height)}`];
        });
        const style = `curve series-${series.colour % colours}`;
        const dashes = series.isDashed ? " dashed" : series.colour >= colours ? " dotted" : "";
        if (y !== series.y) path(curves, `${style} faint`, "M" + places(series.y).join("L"));
        path(curves, style + dashes, "M" + places(y).join("L"));
        if (series.isDotted || y.length === 1) {
          path(curves, `${style} dots`, places(y).map((place) => `M${place}h0`).join(""));
        }
      }
      this.hide();
    }

    hide() {
      this.readout.hidden = true;
      this.index = null;
      this.figure.querySelector(".cursor")?.remove();
    }

    // Shows the values at the iteration with a place among all that the chart has.
    show(index, isSpoken) {
      this.index = Math.max(0, Math.min(this.all.length - 1, index));
      const x = this.all[this.index];
      const share = this.xs.position(x);
      this.figure.querySelector(".cursor")?.remove();
      path(this.figure.querySelector(".rules"), "cursor", `M${at(share)} 0V1000`);
      const table = document.createElement("table");
      table.createCaption().textContent = `${data.iteration} ${number(x)}`;
      const spoken = [];
      for (const { series, y } of this.lines) {
        const near = nearest(series.x, x);
        const row = table.insertRow();
        const swatch = document.createElement("i");
        swatch.className = `swatch series-${series.colour % colours}`;
        row.insertCell().append(swatch);
        row.insertCell().textContent = series.label;
        const value = row.insertCell();
        value.className = "number";
        value.textContent = this.text(y[near]);
        spoken.push(`${series.label} ${this.text(y[near])}`);
      }
      this.readout.replaceChildren(table);
      this.readout.hidden = false;
      const room = this.area.clientWidth - this.readout.offsetWidth;
      const left = share * this.area.clientWidth;
      const beside = share > 0.5 ? left - this.readout.offsetWidth - 10 : left + 10;
      this.readout.style.left = `${Math.max(0, Math.min(room, beside))}px`;
      if (isSpoken) announcer.textContent = `${data.iteration} ${number(x)}: ${spoken.join(", ")}`;
    }

    listen() {
      const follow = (event) => {
        const box = this.area.getBoundingClientRect();
        const share = (event.clientX - box.left) / box.width;
        if (share < -0.02 || share > 1.02) return this.hide();
        const [first, last] = [this.all[0], this.all[this.all.length - 1]];
        this.show(nearest(this.all, first + share * (last - first)), false);
      };
      this.plot.addEventListener("pointermove", follow);
      this.plot.addEventListener("pointerdown", follow);
      this.plot.addEventListener("pointerleave", () => this.hide());
      this.plot.addEventListener("blur", () => this.hide());
      this.plot.addEventListener("keydown", (event) => {
        const page = Math.max(1, Math.round(this.all.length / 20));
        const now = this.index ?? -1;
        const next = {
          ArrowLeft: now - 1, ArrowRight: now + 1, PageUp: now - page, PageDown: now + page, Home: 0,
          End: this.all.length - 1,
        }[event.key];
        if (event.key === "Escape") this.hide();
        if (next === undefined) return;
        event.preventDefault();
        this.show(next, true);
      });
    }
  }

  const nearest = (sorted, value) => {
    let [low, high] = [0, sorted.length - 1];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (sorted[middle] <= value) low = middle; else high = middle;
    }
    return Math.abs(sorted[low] - value) <= Math.abs(sorted[high] - value) ? low : high;
  };

  const charts = data.charts.map((content) => new Chart(content));
  const draw = () => charts.forEach((chart) => chart.draw());

  document.querySelector(".switches").hidden = false;
  document.getElementById("logarithmic").addEventListener("change", (event) => {
    state.isLogarithmic = event.target.checked;
    draw();
  });
  document.getElementById("smoothing").addEventListener("input", (event) => {
    state.smoothing = event.target.value / 100;
    document.querySelector(".switches output").textContent = state.smoothing;
    draw();
  });
  for (const item of document.querySelectorAll(".legend li")) {
    const run = Number(item.dataset.run);
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-pressed", "true");
    button.append(...item.childNodes);
    item.append(button);
    button.addEventListener("click", () => {
      if (!state.hidden.delete(run)) state.hidden.add(run);
      button.setAttribute("aria-pressed", String(!state.hidden.has(run)));
      draw();
    });
  }
  // Browsers keep what was chosen when a page is loaded again.
  document.getElementById("logarithmic").checked = false;
  document.getElementById("smoothing").value = 0;
  draw();
})();
