// Pictures of an answer as SVG. Angles: azimuth counter-clockwise in degrees, 0 = front (up), 90 = left.
const NAMESPACE = "http://www.w3.org/2000/svg";
// Okabe and Ito's colours, which the colour-blind tell apart; the same as in the reports of the command line.
const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8c8c8c"];
const FRAME_S = 0.1;
const ROW = 44, LEFT = 130, WIDTH = 640, RADIUS = 130;

export const readable = (name) => name.replaceAll("_", " ");

function element(name, attributes, parent, text) {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  parent?.append(made);
  return made;
}

function picture(width, height, label) {
  return element("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
}

// Class names that were heard, in the order of their first event; their place is their colour.
export function heard(scenes) {
  return [...new Set(scenes.flatMap((scene) => scene.events.events.map((event) => event.class_name)))];
}

export function timeline(scene, classes) {
  const { events, duration_s } = scene.events;
  const height = Math.max(classes.length, 1) * ROW + 30;
  const svg = picture(WIDTH, height, `Timeline: ${events.length} events in ${duration_s.toFixed(1)} seconds; the table below lists them`);
  const x = (time_s) => LEFT + (WIDTH - LEFT - 10) * time_s / duration_s;
  const step = [0.5, 1, 2, 5, 10, 20, 60].find((s) => duration_s / s <= 10) ?? 120;
  for (let time = 0; time <= duration_s + 1e-6; time += step) {
    element("line", { class: "grid", x1: x(time), x2: x(time), y1: 0, y2: height - 22 }, svg);
    element("text", { x: x(time), y: height - 6, "text-anchor": "middle" }, svg, `${+time.toFixed(1)} s`);
  }
  classes.forEach((name, row) => drawClass(svg, scene, name, row, x));
  const cursor = element("line", { class: "cursor", x1: x(0), x2: x(0), y1: 0, y2: height - 22, visibility: "hidden" }, svg);
  return { svg, moveTo: (time_s) => { for (const end of ["x1", "x2"]) cursor.setAttribute(end, x(Math.min(time_s, duration_s))); cursor.setAttribute("visibility", "visible"); } };
}

function drawClass(svg, scene, name, row, x) {
  const base = (row + 1) * ROW - 8, colour = COLOURS[row % COLOURS.length];
  const y = (share) => base - (ROW - 14) * Math.min(Math.max(share, 0), 1);
  element("text", { x: LEFT - 8, y: base - 8, "text-anchor": "end" }, svg, readable(name));
  for (const event of scene.events.events.filter((one) => one.class_name === name)) {
    element("rect", { x: x(event.onset_s), y: base, width: Math.max(x(event.offset_s) - x(event.onset_s), 2), height: 4, fill: colour }, svg);
  }
  for (const frame of scene.detections.filter((one) => one.class_name === name)) {
    const left = x(frame.time_s), width = x(frame.time_s + FRAME_S) - left, level = y(frame.activity);
    element("rect", { x: left, y: level, width, height: base - level, fill: colour, "fill-opacity": 0.3 }, svg);
    element("line", { x1: left, x2: left + width, y1: level, y2: level, stroke: colour, "stroke-width": 2 }, svg);
    const deviation = frame.uncertainty?.activity_std ?? 0;
    const [top, bottom] = [y(frame.activity + deviation), y(frame.activity - deviation)];
    if (deviation > 0) element("rect", { class: "band", x: left, y: top, width, height: bottom - top, fill: colour, "fill-opacity": 0.45 }, svg);
  }
}

// A point on the radar: the horizon is the rim, straight up and down are the centre.
function place(azimuth_deg, elevation_deg) {
  const turn = (azimuth_deg + 90) * Math.PI / 180, reach = RADIUS * Math.cos(elevation_deg * Math.PI / 180);
  return [RADIUS + 40 + reach * Math.cos(turn), RADIUS + 30 - reach * Math.sin(turn)];
}

export function radar(scene, classes) {
  const events = scene.events.events.filter((event) => event.trajectory.some((point) => point.azimuth_deg !== null));
  const svg = picture(2 * RADIUS + 80, 2 * RADIUS + 60, `Directions of ${events.length} events; the table below lists them`);
  for (const share of [1, 2 / 3, 1 / 3]) element("circle", { class: "grid", cx: RADIUS + 40, cy: RADIUS + 30, r: RADIUS * share }, svg);
  for (const [text, azimuth_deg] of [["front", 0], ["left", 90], ["back", 180], ["right", -90]]) {
    const [x, y] = place(azimuth_deg, 0);
    element("line", { class: "grid", x1: RADIUS + 40, y1: RADIUS + 30, x2: x, y2: y }, svg);
    const outward = { front: [0, -8], left: [-18, 4], back: [0, 18], right: [20, 4] }[text];
    element("text", { x: x + outward[0], y: y + outward[1], "text-anchor": "middle" }, svg, text);
  }
  for (const event of events) drawDirection(svg, event, COLOURS[classes.indexOf(event.class_name) % COLOURS.length]);
  return svg;
}

function drawDirection(svg, event, colour) {
  const points = event.trajectory.filter((point) => point.azimuth_deg !== null);
  const { azimuth_deg } = meanDirection(event);
  const spread = event.uncertainty?.direction_spread_deg ?? 0;
  if (spread > 0) {
    const [low, high] = [place(azimuth_deg - Math.min(spread, 179), 0), place(azimuth_deg + Math.min(spread, 179), 0)];
    const path = `M ${RADIUS + 40} ${RADIUS + 30} L ${low.join(" ")} A ${RADIUS} ${RADIUS} 0 ${spread > 90 ? 1 : 0} 0 ${high.join(" ")} Z`;
    element("path", { class: "spread", d: path, fill: colour, "fill-opacity": 0.15 }, svg);
  }
  const way = points.map((point) => place(point.azimuth_deg, point.elevation_deg));
  element("polyline", { points: way.map((point) => point.join(",")).join(" "), fill: "none", stroke: colour, "stroke-width": 2 }, svg);
  const [x, y] = way[way.length - 1];
  const dot = element("circle", { cx: x, cy: y, r: 5, fill: colour }, svg);
  element("title", {}, dot, `${readable(event.class_name)}, ${event.onset_s.toFixed(1)} to ${event.offset_s.toFixed(1)} s`);
}

export function meanDirection(event) {
  let [x, y, z] = [0, 0, 0];
  for (const { azimuth_deg, elevation_deg, activity } of event.trajectory) {
    if (azimuth_deg === null) continue;
    const [a, e] = [azimuth_deg * Math.PI / 180, elevation_deg * Math.PI / 180];
    x += activity * Math.cos(a) * Math.cos(e); y += activity * Math.sin(a) * Math.cos(e); z += activity * Math.sin(e);
  }
  if (!x && !y && !z) return { azimuth_deg: null, elevation_deg: null };
  return { azimuth_deg: Math.atan2(y, x) * 180 / Math.PI, elevation_deg: Math.atan2(z, Math.hypot(x, y)) * 180 / Math.PI };
}
