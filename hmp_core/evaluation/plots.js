// SPDX-FileCopyrightText: 2026 The hmp_ros authors
// SPDX-License-Identifier: Apache-2.0
// Plots over one time axis that zoom and point together, as SVG. The script after this one says what to draw.
"use strict";
const WIDTH = 1000, LEFT = 56, RIGHT = 8, SIGMAS = 2;
const data = JSON.parse(document.getElementById("data").textContent);
const times = floats(data.times), end = times.length ? times[times.length - 1] : 0;
const view = { from: 0, to: end || 1, now: null };
const video = document.querySelector("video"), plots = [];

function floats(text) {
  const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

function svg(tag, attributes, parent) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (parent) parent.append(element);
  return element;
}

function html(tag, attributes, parent, text) {
  const element = Object.assign(document.createElement(tag), attributes);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}

/** Round numbers between low and high, about `count` of them. */
function ticks(low, high, count) {
  const raw = (high - low) / count, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map(factor => factor * power).find(one => one >= raw * 0.999);
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-6; value += step) found.push(value);
  return found.map(value => Number(value.toPrecision(8)));
}

/** First frame at or after a time. */
function frameAt(time) {
  let low = 0, high = times.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < time) low = middle + 1; else high = middle;
  }
  return low;
}

const timeX = time => LEFT + (time - view.from) / (view.to - view.from) * (WIDTH - LEFT - RIGHT);
const xTime = x => view.from + (x - LEFT) / (WIDTH - LEFT - RIGHT) * (view.to - view.from);

/** Stretches [first, last] of frames in which `same` has one value; with that value. */
function stretches(count, same) {
  const found = [];
  for (let frame = 0; frame < count; frame++) {
    const value = same(frame), last = found[found.length - 1];
    if (last && last.value === value) last.last = frame; else found.push({ first: frame, last: frame, value });
  }
  return found;
}

/** A stretch's left edge and width; a frame lasts until the next one. */
function span(stretch) {
  const until = stretch.last + 1 < times.length ? times[stretch.last + 1] : end + (end / times.length || 1);
  const left = Math.max(timeX(times[stretch.first]), LEFT), right = Math.min(timeX(until), WIDTH - RIGHT);
  return { x: left, width: Math.max(right - left, 0) };
}

/** A plot over time: `name()` is its title, `draw(picture, height)` fills it, and `read(frame)` says what the cursor
 * is on. */
class Plot {
  constructor(parent, name, height, draw, read) {
    Object.assign(this, { name, height, draw, read });
    this.box = html("div", { className: "plot" }, parent);
    const head = html("div", { className: "head" }, this.box);
    this.title = html("b", {}, head);
    this.readout = html("span", { className: "readout" }, head);
    this.picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${height + 18}`, role: "img" }, this.box);
    this.listen();
    plots.push(this);
  }

  refresh() {
    this.title.textContent = this.name();
    this.picture.setAttribute("aria-label", this.name());
    this.picture.replaceChildren();
    for (const time of ticks(view.from, view.to, 10)) {
      const x = timeX(time);
      svg("line", { x1: x, x2: x, y1: 0, y2: this.height, class: "grid" }, this.picture);
      svg("text", { x, y: this.height + 14, "text-anchor": "middle" }, this.picture).textContent = `${time} s`;
    }
    this.draw(this.picture, this.height);
    this.cursor = svg("line", { y1: 0, y2: this.height, class: "cursor" }, this.picture);
    this.point();
  }

  point() {
    const shown = view.now !== null && view.now >= view.from && view.now <= view.to;
    this.cursor.setAttribute("visibility", shown ? "visible" : "hidden");
    if (!shown) return;
    const x = timeX(view.now);
    this.cursor.setAttribute("x1", x);
    this.cursor.setAttribute("x2", x);
    this.readout.textContent = `${view.now.toFixed(2)} s   ${this.read(frameAt(view.now))}`;
  }

  listen() {
    let start = null, drag = null;
    const at = event => {
      const box = this.picture.getBoundingClientRect();
      const x = Math.min(Math.max((event.clientX - box.left) / box.width * WIDTH, LEFT), WIDTH - RIGHT);
      return { x, time: xTime(x) };
    };
    this.picture.addEventListener("pointerdown", event => {
      start = at(event);
      drag = svg("rect", { y: 0, height: this.height, class: "drag" }, this.picture);
    });
    this.picture.addEventListener("pointermove", event => {
      const here = at(event);
      if (start) {
        drag.setAttribute("x", Math.min(start.x, here.x));
        drag.setAttribute("width", Math.abs(start.x - here.x));
      }
      pointAt(here.time);
    });
    this.picture.addEventListener("pointerup", event => {
      if (!start) return;
      const here = at(event), [from, to] = [start.time, here.time].sort((a, b) => a - b);
      drag.remove();
      if (Math.abs(start.x - here.x) > 8) Object.assign(view, { from, to });
      else if (video) video.currentTime = here.time;
      start = null;
      refresh();
    });
    this.picture.addEventListener("pointerleave", () => { if (drag) drag.remove(); start = null; });
    this.picture.addEventListener("dblclick", () => { Object.assign(view, { from: 0, to: end || 1 }); refresh(); });
  }
}

function pointAt(time) {
  view.now = time;
  for (const plot of plots) plot.point();
}

function refresh() {
  for (const plot of plots) plot.refresh();
}

/** Curves over a common scale; each has `value(frame)`, and may have `sigma(frame)` and `dot(frame)`.
 * `behind` draws what lies behind them. */
function drawCurves(picture, height, curves, behind) {
  const first = Math.max(frameAt(view.from) - 1, 0), last = Math.min(frameAt(view.to) + 1, times.length - 1);
  let low = Infinity, high = -Infinity;
  for (const { value, sigma } of curves) {
    for (let frame = first; frame <= last; frame++) {
      const here = value(frame), spread = sigma ? SIGMAS * sigma(frame) || 0 : 0;
      if (isFinite(here)) { low = Math.min(low, here - spread); high = Math.max(high, here + spread); }
    }
  }
  if (low > high) return;
  if (high - low < 1) { low -= 0.5; high += 0.5; }
  const y = value => 4 + (high - value) / (high - low) * (height - 8);
  for (const value of ticks(low, high, 4)) {
    svg("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value), class: "grid" }, picture);
    svg("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, picture).textContent = value;
  }
  if (behind) behind();
  const clipped = svg("g", { "clip-path": "url(#inside)" }, picture);
  for (const { value, sigma, dot, colour } of curves) {
    for (const { first: from, last: to, value: good } of
      stretches(last - first + 1, index => isFinite(value(first + index)))) {
      if (!good) continue;
      const frames = Array.from({ length: to - from + 1 }, (_, index) => first + from + index);
      const edge = sign => frame => `${timeX(times[frame]).toFixed(1)},` +
        y(value(frame) + sign * SIGMAS * (sigma ? sigma(frame) || 0 : 0)).toFixed(1);
      if (sigma) {
        const points = [...frames.map(edge(1)), ...frames.reverse().map(edge(-1))].join(" ");
        svg("polygon", { points, fill: colour, class: "band" }, clipped);
        frames.reverse();
      }
      svg("polyline", { points: frames.map(edge(0)).join(" "), stroke: colour, class: "line" }, clipped);
    }
    for (let frame = first; dot && frame <= last; frame++) {
      const here = dot(frame);
      if (here >= low && here <= high)
        svg("circle",
          { cx: timeX(times[frame]).toFixed(1), cy: y(here).toFixed(1), r: 1.3, class: "initial" }, clipped);
    }
  }
}

function legend(parent, entries) {
  const box = html("div", { className: "legend" }, parent);
  for (const [colour, words] of entries) {
    const entry = html("span", {}, box);
    html("i", {}, entry).style.background = colour;
    entry.append(words);
  }
}

function choice(parent, name, options, chosen, change) {
  const label = html("label", {}, parent, `${name} `), select = html("select", {}, label);
  options.forEach((words, value) => html("option", { value, selected: value === chosen }, select, words));
  select.addEventListener("change", () => { change(Number(select.value)); refresh(); });
}

function follow() {
  pointAt(video.currentTime);
  if (!video.paused) requestAnimationFrame(follow);
}

const clip = svg("clipPath", { id: "inside" }, svg("svg", { width: 0, height: 0, class: "clip" }, document.body));
svg("rect", { x: LEFT, y: 0, width: WIDTH - LEFT - RIGHT, height: 1000 }, clip);
if (video) for (const event of ["play", "seeked"]) video.addEventListener(event, follow);
