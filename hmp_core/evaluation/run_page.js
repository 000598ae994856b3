// SPDX-FileCopyrightText: 2026 The hmp_ros authors
// SPDX-License-Identifier: Apache-2.0
// What the page of a run shows, on the plots of plots.js.
const AXES = ["x", "y", "z"], LINES = ["#e0564a", "#3f9e53", "#3d7fd6"];
const hands = data.hands.map(hand => ({
  ...hand, xyz: floats(hand.xyz), sigma: floats(hand.sigma), wristSigma: floats(hand.wrist_sigma),
  initial: floats(hand.initial), reprojection: floats(hand.reprojection), length: floats(hand.length),
}));
Object.assign(view, { hand: 0, joint: 8, relative: true });

/** Status rows, one a hand. */
function drawTimeline(picture) {
  hands.forEach((hand, row) => {
    const y = row * 26 + 3;
    svg("text", { x: LEFT - 8, y: y + 15, "text-anchor": "end", class: "name" }, picture).textContent = hand.name;
    for (const stretch of stretches(times.length, frame => `${hand.status[frame]} ${hand.tracks[frame]}`)) {
      const status = hand.status[stretch.first], { x, width } = span(stretch);
      if (!status || !width) continue;
      const fill = `var(--${data.statuses[status]})`;
      const bar = svg("rect", { x, width, y, height: 20, fill }, picture);
      const seconds = times[stretch.last] - times[stretch.first];
      svg("title", {}, bar).textContent =
        `track ${hand.tracks[stretch.first]}: ${data.statuses[status]} for ${seconds.toFixed(2)} s`;
    }
  });
}

/** Where the joint has no evidence, in the colour of the hand's status. */
function shade(picture, height, hand) {
  const seen = frame => hand.observed[frame] >> view.joint & 1;
  for (const stretch of stretches(times.length, frame => seen(frame) ? 0 : hand.status[frame])) {
    if (!stretch.value) continue;
    const fill = `var(--${data.statuses[stretch.value]})`;
    svg("rect", { ...span(stretch), y: 0, height, fill, class: "shade" }, picture);
  }
}

function jointCurve(axis) {
  const hand = hands[view.hand], at = frame => 3 * (21 * frame + view.joint) + axis, wrist = frame => 63 * frame + axis;
  const from = (values, frame) => 1e3 * (values[at(frame)] - (view.relative ? values[wrist(frame)] : 0));
  return {
    colour: LINES[axis],
    value: frame => from(hand.xyz, frame),
    dot: frame => from(hand.initial, frame),
    sigma: frame => 1e3 * Math.hypot(
      hand.sigma[21 * frame + view.joint], view.relative ? 0 : hand.wristSigma[3 * frame + axis]),
  };
}

const used = status => hands.some(hand => hand.status.includes(Number(status)));
const number = (value, digits = 1) => isFinite(value) ? value.toFixed(digits) : "–";
const handColour = index => LINES[(index + 2) % 3];

function addTimeline(section) {
  legend(section, Object.entries(data.statuses).filter(([status]) => Number(status) && used(status))
    .map(([, name]) => [`var(--${name})`, name]));
  const status = (hand, frame) => hand.status[frame] ? data.statuses[hand.status[frame]] : "none";
  new Plot(section, () => "status", 26 * hands.length, drawTimeline,
    frame => hands.map(hand => `${hand.name} ${status(hand, frame)}`).join(", "));
  const words = "Drag over a plot to zoom, double-click to see all" + (video ? ", click to go there in the video." : ".");
  html("p", { className: "note hint" }, section, words);
}

function addCurves(section) {
  const controls = html("div", { className: "controls" }, section);
  if (hands.length > 1) choice(controls, "hand", hands.map(hand => hand.name), 0, value => { view.hand = value; });
  choice(controls, "joint", data.joints, view.joint, value => { view.joint = value; });
  choice(controls, "position", ["relative to the wrist", "in the camera"], 0, value => { view.relative = !value; });
  const place = () => view.relative ? "from the wrist" : "in the camera";
  AXES.forEach((axis, index) => new Plot(
    section,
    () => `${data.joints[view.joint]}, ${axis} ${place()} (mm)`,
    110,
    (picture, height) =>
      drawCurves(picture, height, [jointCurve(index)], () => shade(picture, height, hands[view.hand])),
    frame => {
      const curve = jointCurve(index);
      return `${number(curve.value(frame))} ± ${number(curve.sigma(frame))} mm`;
    },
  ));
  legend(section, [["color-mix(in srgb, var(--ink) 22%, transparent)", `band: ${SIGMAS} sigmas`],
    ["var(--faint)", "dots: the initializer, image by image"],
    ["color-mix(in srgb, var(--infilled) 30%, transparent)",
      "shaded in the status's colour: this joint has no evidence"]]);
}

function addQuality(section) {
  for (const [name, unit] of [["reprojection", "px"], ["length", "mm"]]) {
    const words = { reprojection: "median reprojection of observed joints", length: "wrist to middle knuckle" }[name];
    new Plot(section, () => `${words} (${unit})`, 90, (picture, height) => {
      drawCurves(picture, height, hands.map((hand, index) =>
        ({ colour: handColour(index), value: frame => hand[name][frame] })));
    }, frame => hands.map(hand => `${hand.name} ${number(hand[name][frame])} ${unit}`).join(", "));
  }
  if (hands.length > 1) legend(section, hands.map((hand, index) => [handColour(index), hand.name]));
}

function addHistograms(section) {
  const grid = html("div", { className: "histograms" }, section), width = 360, height = 110;
  for (const { name, unit, from, to, counts, median, p95 } of data.histograms) {
    const box = html("div", { className: "plot" }, grid), most = Math.max(...counts);
    const head = html("div", { className: "head" }, box);
    html("b", {}, head, `${name} (${unit})`);
    html("span", {}, head, `median ${number(median)}, p95 ${number(p95)}`);
    const picture = svg("svg", { viewBox: `0 0 ${width} ${height + 20}`, role: "img", "aria-label": name }, box);
    const x = value => 8 + (value - from) / (to - from) * (width - 16), step = (width - 16) / counts.length;
    counts.forEach((count, index) => svg("rect", { x: 8 + index * step, width: Math.max(step - 1, 1), class: "bar",
      y: height * (1 - count / most), height: height * count / most }, picture));
    for (const value of ticks(from, to, 6))
      svg("text", { x: x(value), y: height + 15, "text-anchor": "middle" }, picture).textContent = value;
    for (const value of [median, p95])
      if (value <= to) svg("line", { x1: x(value), x2: x(value), y1: 0, y2: height, class: "cursor" }, picture);
  }
}

if (hands.length) {
  addTimeline(document.getElementById("timeline"));
  addCurves(document.getElementById("curves"));
  addQuality(document.getElementById("quality"));
  refresh();
}
addHistograms(document.getElementById("histograms"));
