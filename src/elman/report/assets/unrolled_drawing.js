// The drawing: time from left to right; inputs at the bottom, layers above them, class scores and loss at the top.
const SVG = "http://www.w3.org/2000/svg";

const element = (name, attributes = {}, ...inside) => {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...inside);
  return made;
};

const largest = (rows) => Math.max(1e-300, ...rows.flat(3).map((value) => Math.abs(value ?? 0)));

const short = (value) => {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size < 1e-3 || size >= 1e4) return typeset(value.toExponential(1));
  return String(Number(value.toPrecision(3))).replace("-", "−");
};

// Of a long name the middle is left out, so that names that differ at their ends stay apart.
const withoutMiddle = (name, most) => {
  const letters = [...name], tail = Math.floor((most - 1) / 2);
  return letters.length <= most ? name : `${letters.slice(0, most - 1 - tail).join("")}…${letters.slice(-tail).join("")}`;
};

// A logarithmic scale from a power of ten below all norms, or 16 decades below the largest, to the largest.
const logScale = (norms) => {
  const logs = norms.filter((norm) => norm > 0).map(Math.log10);
  const top = logs.length ? Math.max(...logs) : 0;
  const low = Math.max(Math.ceil((logs.length ? Math.min(...logs) : 0) - 0.15) - 1, Math.ceil(top) - 16);
  return { low, top, share: (norm) => (norm > 0 ? Math.max(0, (Math.log10(norm) - low) / (top - low)) : 0) };
};

const powerOfTen = (exponent) =>
  "10" + String(exponent).replace("-", "⁻").replace(/\d/g, (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]);

// Text with indices: h_t, W_hh, h_{t-1}.
const withIndices = (text, x, y, attributes = {}) => {
  const made = element("text", { x, y, ...attributes });
  for (const part of text.split(/(_\{[^}]*\}|_\w+)/)) {
    if (!part.startsWith("_")) made.append(part);
    else {
      made.append(element("tspan", { dy: 3, "font-size": 9 }, part.replace(/[_{}]/g, "")), element("tspan", { dy: -3 }, "\u200b"));
    }
  }
  return made;
};

const strip = (values, scale, x, y, width, height) => {
  const cells = element("g");
  const each = height / values.length;
  values.forEach((value, k) => {
    cells.append(element("rect", {
      x, y: y + k * each, width, height: Math.max(0.5, each - (each > 4 ? 1 : 0)),
      fill: value < 0 ? "var(--c0)" : "var(--c1)",
      "fill-opacity": Math.min(1, Math.abs(value ?? 0) / scale).toFixed(3),
    }));
  });
  return cells;
};

// Where everything stands, in pixels.
const measure = (data, room) => {
  const n = data.steps.length;
  const everyStep = data.readout === "every_step";
  const isBeside = everyStep || room >= 480;  // else class scores stand below the drawing
  const output = everyStep ? 12 : isBeside ? 220 : 36;
  const gap = data.steps.findIndex((t, k) => k > 0 && t !== data.steps[k - 1] + 1);
  const lead = 40;
  const column = Math.max(48, Math.min(150, Math.floor((room - lead - output - (gap > 0 ? 34 : 0)) / n)));
  const directions = data.passages.filter((passage) => passage.layer === data.passages[0].layer).length;
  const units = Math.max(...data.passages.map((passage) => passage.units.length));
  const stripHeight = Math.max(34, Math.min(72, 10 * units));
  const layers = [...new Set(data.passages.map((passage) => passage.layer))];
  const top = everyStep ? 40 + 12 * data.output.classes.length : 46;
  const frame = directions * (stripHeight + 8) + 8;
  const layerTop = {};
  [...layers].reverse().forEach((layer, k) => { layerTop[layer] = top + 26 + k * (frame + 40); });
  const inputTop = top + 26 + layers.length * (frame + 40) - 4;
  const isToken = data.inputs.names.length === 1;
  const inputHeight = isToken ? 28 : Math.max(24, Math.min(64, 10 * data.inputs.names.length));
  const axis = inputTop + inputHeight + 24;
  const x = data.steps.map((_, k) => lead + (k + 0.5) * column + (gap > 0 && k >= gap ? 34 : 0));
  const right = x[n - 1] + column / 2;
  const scores = 34 + 24 * data.output.classes.length + (data.output.classes.length < data.output.n_classes ? 16 : 0) + 30;
  return {
    n, column, directions, stripHeight, layers, everyStep, top, frame, layerTop, inputTop, inputHeight, isToken, axis, gap,
    x, right, isBeside, scores, box: Math.min(66, column * (column < 60 ? 0.5 : 0.56)), pad: column < 60 ? 4 : 7,
    barTop: axis + 34, barHeight: 72, width: right + output,
    height: Math.max(axis + 34 + 72 + 26, everyStep || !isBeside ? 0 : top - 32 + scores + 28),
  };
};

const stripTop = (at, data, passage) => {
  const place = data.passages.filter((each) => each.layer === passage.layer).indexOf(passage);
  return at.layerTop[passage.layer] + 8 + place * (at.stripHeight + 8);
};

const arrow = (marker, kind, points, attributes = {}) => element("path", {
  d: `M${points.map((point) => point.join(" ")).join("L")}`,
  class: `u-arrow ${kind === "backward" ? "u-back u-of-backward" : "u-of-forward"}`,
  "marker-end": `url(#${marker}-${kind})`, ...attributes,
});

const markers = (marker) => element("defs", {}, ...["forward", "backward"].map((kind) => element(
  "marker",
  { id: `${marker}-${kind}`, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 8, markerHeight: 8, orient: "auto", markerUnits: "userSpaceOnUse" },
  element("path", { d: "M0 0.5L8 4L0 7.5z", fill: kind === "forward" ? "var(--ink-soft)" : "var(--gradient)" }),
)));

// An arrow of the gradient is as thick as its logarithm: six decades from the thickest to the thinnest.
const thickness = (norm, top) => (norm > 0 ? Math.max(0.6, 4.5 * (1 + Math.log10(norm / top) / 6)).toFixed(2) : 0.4);

const drawLayers = (svg, data, at, marker, groups) => {
  for (const layer of at.layers) {
    at.x.forEach((x, k) => {
      groups[k].append(element("rect", { class: "u-box", x: x - at.box / 2 - at.pad, y: at.layerTop[layer], width: at.box + 2 * at.pad, height: at.frame, rx: 9 }));
      const below = layer === at.layers[0] ? at.inputTop : at.layerTop[layer - 1];
      const foot = at.layerTop[layer] + at.frame;
      groups[k].append(arrow(marker, "forward", [[x, below - 3], [x, foot + 3]]), arrow(marker, "backward", [[x, foot + 2], [x, below - 3]]));
    });
  }
  for (const passage of data.passages) {
    const y = stripTop(at, data, passage);
    const middle = y + at.stripHeight / 2;
    const scale = largest(passage.states.h), scaleBack = largest(passage.d_states.h), top = largest(passage.norms.d_h);
    at.x.forEach((x, k) => {
      const left = x - at.box / 2;
      const forward = strip(passage.states.h[k], scale, left, y, at.box, at.stripHeight);
      const backward = strip(passage.d_states.h[k], scaleBack, left, y, at.box, at.stripHeight);
      forward.setAttribute("class", "u-of-forward");
      backward.setAttribute("class", "u-of-backward");
      groups[k].append(forward, backward);
    });
    const edge = at.box / 2 + at.pad + 2;
    for (let k = 0; k + 1 < at.n; k++) {
      const ends = [[at.x[k] + edge, middle], [at.x[k + 1] - edge - 1, middle]];
      const back = [[at.x[k + 1] - edge, middle], [at.x[k] + edge + 1, middle]];
      const receiver = passage.is_reverse ? k + 1 : k;
      svg.append(
        arrow(marker, "forward", passage.is_reverse ? back : ends, k + 1 === at.gap ? { "stroke-dasharray": "2 4" } : {}),
        arrow(marker, "backward", passage.is_reverse ? ends : back, { "stroke-width": thickness(passage.norms.d_h[receiver], top), ...(k + 1 === at.gap ? { "stroke-dasharray": "2 4" } : {}) }),
      );
      if (k === 0 && at.column >= 84) svg.append(withIndices("W_hh", (at.x[0] + at.x[1]) / 2, middle - 7, { "text-anchor": "middle", class: "soft small" }));
    }
    const first = passage.is_reverse ? at.x[at.n - 1] : at.x[0];
    if (!passage.is_reverse) {
      svg.append(withIndices("h_0", 5, middle + 4, { class: "soft u-of-forward" }), arrow(marker, "forward", [[23, middle], [first - edge - 1, middle]]));
    }
  }
};

const drawInputs = (data, at, groups) => {
  const { values, raw, names } = data.inputs;
  const scale = names.map((_, column) => largest(values.map((row) => row[column])));
  at.x.forEach((x, k) => {
    const left = x - at.box / 2;
    groups[k].append(element("rect", { class: "u-box", x: left - at.pad, y: at.inputTop, width: at.box + 2 * at.pad, height: at.inputHeight, rx: 5 }));
    if (at.isToken) {
      const value = raw ? raw[k][0] : values[k][0];
      const text = typeof value === "string" ? value.slice(0, 6) : short(value);
      groups[k].append(element("text", { x, y: at.inputTop + 19, "text-anchor": "middle" }, text));
    } else {
      const row = values[k].map((value, column) => value / Math.max(scale[column], largest(values) / 50));
      groups[k].append(strip(row, 1, left, at.inputTop + 4, at.box, at.inputHeight - 8));
    }
    const label = withIndices(`t = ${data.steps[k]}`, x, at.axis, { "text-anchor": "middle", class: "u-t" });
    groups[k].append(label);
  });
};

const drawBars = (svg, data, at, passage, groups) => {
  const norms = passage.norms.d_h;
  const scale = logScale(norms);
  const holder = element("g", { class: "u-bars" });
  const foot = at.barTop + at.barHeight;
  const every = Math.ceil((scale.top - scale.low) / 4);
  const marks = [];
  for (let exponent = scale.low; exponent <= scale.top; exponent += every) {
    const y = foot - scale.share(10 ** exponent) * at.barHeight;
    holder.append(element("line", { class: "u-grid", x1: 0, x2: at.right, y1: y, y2: y }));
    marks.push([y, powerOfTen(exponent)]);
  }
  norms.forEach((norm, k) => {
    const height = norm > 0 ? Math.max(1.5, scale.share(norm) * at.barHeight) : 0;
    const bar = element("g", { class: "u-bar-of-step" },
      element("rect", { class: "u-bar", x: at.x[k] - at.box / 2, y: foot - height, width: at.box, height, rx: 1.5 }),
      element("text", { x: at.x[k], y: foot + 17, "text-anchor": "middle", class: "small soft" }, short(norm)));
    holder.append(bar);
  });
  svg.append(holder);
  return { holder, marks };
};

// Rail from the steps that the readout looks at to the class scores, each as strong as its share.
const drawReadout = (svg, data, at, marker) => {
  const rail = at.top - 6;
  const head = at.layerTop[at.layers[at.layers.length - 1]];
  const shares = data.passages.filter((passage) => passage.share).map((passage) => passage.share);
  const share = at.x.map((_, k) => Math.max(...shares.map((each) => each[k] ?? 0)));
  const top = largest(share);
  const used = at.x.filter((_, k) => share[k] > 0);
  svg.append(element("path", { class: "u-rail u-of-forward", d: `M${used[0]} ${rail}L${at.right + 8} ${rail}` }));
  svg.append(element("path", { class: "u-rail u-back u-of-backward", d: `M${used[0]} ${rail}L${at.right + 8} ${rail}` }));
  at.x.forEach((x, k) => {
    if (share[k] <= 0) return;
    const strength = { "stroke-opacity": (0.25 + 0.75 * share[k] / top).toFixed(2) };
    svg.append(element("path", { class: "u-rail u-of-forward", d: `M${x} ${head}L${x} ${rail}`, ...strength }));
    svg.append(arrow(marker, "backward", [[x, rail], [x, head - 3]], strength));
  });
  svg.append(arrow(marker, "forward", [[at.right, rail], [at.right + 20, rail]]));
  svg.append(arrow(marker, "backward", [[at.right + 20, rail], [at.right + 4, rail]]));
  svg.append(element("text", { x: at.right + 18, y: rail - 7, "text-anchor": "end", class: "small soft" }, `readout: ${data.readout}`));
  if (at.isBeside) drawScores(svg, data, at, at.right + 28, rail - 26);
  else svg.append(element("text", { x: at.right + 24, y: rail + 4 }, "y"));
};

// Class scores and the loss, in a box of 184 by `at.scores`.
const drawScores = (svg, data, at, x, from) => {
  const { classes, proba, d_logits, target, n_classes } = data.output;
  const put = (text, y, kind, attributes = {}) => svg.append(element("text", { x: x + 11, y: from + y, class: kind, ...attributes }, text));
  svg.append(element("rect", { class: "u-box", x, y: from, width: 184, height: at.scores, rx: 9 }));
  put("y = softmax(logits)", 20, "soft u-of-forward");
  put("dL/dlogits = y − target", 20, "soft u-of-backward");
  const scale = largest(d_logits);
  classes.forEach((name, k) => {
    const line = 40 + 24 * k;
    const isTarget = target[0] === k;
    const end = { x: x + 173, "text-anchor": "end" };
    put(withoutMiddle(name, 17), line, isTarget ? "strong small" : "small");
    put(number(proba[0][k]), line, "small u-of-forward", end);
    put(number(d_logits[0][k]), line, "small u-of-backward", end);
    const bar = { y: from + line + 4, height: 6 };
    svg.append(element("rect", { x: x + 11, width: Math.max(0.5, 162 * proba[0][k]), ...bar, fill: isTarget ? "var(--good)" : "var(--ink-soft)", class: "u-of-forward" }));
    const width = 81 * Math.abs(d_logits[0][k]) / scale;
    svg.append(element("rect", { x: d_logits[0][k] < 0 ? x + 92 - width : x + 92, width: Math.max(0.5, width), ...bar, fill: d_logits[0][k] < 0 ? "var(--c0)" : "var(--c1)", class: "u-of-backward" }));
  });
  if (classes.length < n_classes) put(`and ${n_classes - classes.length} more classes`, at.scores - 38, "small soft");
  const [y, loss] = data.answer.map(typeset);
  put(`L = −ln ${y} = ${loss}`, at.scores - 13, "strong small");
  put(`after the update: L = ${typeset(data.answer_after)}`, at.scores + 18, "small soft");
};

const drawScoresOfSteps = (data, at, marker, groups) => {
  const { classes, proba, d_logits, target, losses } = data.output;
  const head = at.layerTop[at.layers[at.layers.length - 1]];
  const height = 12 * classes.length;
  const scale = largest(d_logits);
  at.x.forEach((x, k) => {
    const left = x - at.box / 2;
    const forward = strip(proba[k], 1, left, 30, at.box, height);
    const backward = strip(d_logits[k], scale, left, 30, at.box, height);
    forward.setAttribute("class", "u-of-forward");
    backward.setAttribute("class", "u-of-backward");
    groups[k].append(element("rect", { class: "u-box", x: left - at.pad, y: 26, width: at.box + 2 * at.pad, height: height + 8, rx: 5 }), forward, backward);
    if (target[k] !== null) {
      groups[k].append(element("rect", { class: "u-framed", x: left - 2.5, y: 29 + 12 * target[k], width: at.box + 5, height: 13, rx: 2 }));
    }
    groups[k].append(element("text", { x, y: 17, "text-anchor": "middle", class: "small" }, losses[k] === null ? "–" : short(losses[k])));
    groups[k].append(arrow(marker, "forward", [[x, head - 2], [x, 38 + height]]), arrow(marker, "backward", [[x, 36 + height], [x, head - 3]]));
  });
};

const drawLabels = (data, at, marks) => {
  const width = 92;
  const svg = element("svg", { width, height: at.height, viewBox: `0 0 ${width} ${at.height}` });
  const put = (text, y, kind = "") => svg.append(withIndices(text, width - 10, y, { "text-anchor": "end", class: kind }));
  if (at.everyStep) {
    put("loss", 17, "soft small");
    data.output.classes.forEach((name, k) => put(withoutMiddle(name, 13), 39.5 + 12 * k, "small"));
  }
  for (const passage of data.passages) {
    const y = stripTop(at, data, passage) + at.stripHeight / 2;
    const of = data.n_layers > 1 ? `layer ${passage.layer + 1}` : "state";
    const label = element("g");
    const first = withIndices("h_t", width - 10, y - 2, { "text-anchor": "end", class: "u-of-forward strong" });
    const back = withIndices("dL/dh_t", width - 10, y - 2, { "text-anchor": "end", class: "u-of-backward strong" });
    label.append(first, back, element("text", { x: width - 10, y: y + 14, "text-anchor": "end", class: "soft small" }, passage.is_reverse ? `${of}, reverse` : of));
    svg.append(label);
  }
  put("x_t", at.inputTop + at.inputHeight / 2 + 4, "strong");
  put("|dL/dh_t|", at.barTop - 15, "strong");
  for (const [y, text] of marks) svg.append(element("text", { x: width - 10, y: y + 4, "text-anchor": "end", class: "soft small" }, text));
  return svg;
};

// The whole sequence as a line, where its middle is not drawn.
const drawWhole = (data, passage, width) => {
  const height = 92, foot = height - 20, scale = logScale(passage.line);
  const ends = `${powerOfTen(scale.low)} to ${short(largest(passage.line))}`;
  const x = (t) => 4 + (width - 8) * (t - 1) / Math.max(1, data.n_steps - 1);
  const y = (norm) => foot - (foot - 10) * scale.share(norm);
  const svg = element("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `Size of the gradient over all ${data.n_steps} steps, on a logarithmic scale from ${ends}` });
  const size = data.n_steps / passage.line.length;
  data.steps.forEach((t) => svg.append(element("rect", { class: "u-seen", x: x(t) - 0.5, y: 6, width: Math.max(1.5, (width - 8) / data.n_steps), height: foot - 6 })));
  svg.append(element("path", { class: "u-line", d: passage.line.map((norm, k) => `${k ? "L" : "M"}${x(1 + k * size).toFixed(1)} ${y(norm).toFixed(1)}`).join("") }));
  svg.append(element("line", { class: "u-grid", x1: 4, x2: width - 4, y1: foot, y2: foot }));
  svg.append(element("text", { x: 4, y: height - 5, class: "small soft" }, "t = 1"));
  svg.append(element("text", { x: width - 4, y: height - 5, "text-anchor": "end", class: "small soft" }, `t = ${data.n_steps}`));
  svg.append(element("text", { x: width / 2, y: height - 5, "text-anchor": "middle", class: "small soft" }, `|dL/dh| over the whole sequence, logarithmic, ${ends}`));
  return svg;
};

const draw = (data, marker, room) => {
  const at = measure(data, room);
  const svg = element("svg", { width: at.width, height: at.height, viewBox: `0 0 ${at.width} ${at.height}`, "aria-hidden": "true" }, markers(marker));
  const columns = at.x.map((x) => element("rect", { class: "u-column", x: x - at.column / 2 + 3, y: 2, width: at.column - 6, height: at.height - 4, rx: 10 }));
  const groups = at.x.map((_, k) => element("g", { class: "u-step", "data-step": k }));
  svg.append(...columns);
  drawLayers(svg, data, at, marker, groups);
  svg.append(...groups);
  drawInputs(data, at, groups);
  if (at.column >= 84) svg.append(withIndices("W_ih", at.x[0] + 7, at.inputTop - 16, { class: "soft small" }));
  if (at.everyStep) drawScoresOfSteps(data, at, marker, groups);
  else drawReadout(svg, data, at, marker);
  if (at.gap > 0) {
    const left = data.steps[at.gap] - data.steps[at.gap - 1] - 1;
    const x = (at.x[at.gap - 1] + at.x[at.gap]) / 2;
    svg.append(element("text", { x, y: at.axis, "text-anchor": "middle", class: "soft" }, "⋯"));
    svg.append(element("text", { x, y: at.axis + 14, "text-anchor": "middle", class: "soft small" }, `${left} more`));
  }
  return { at, svg, columns, groups };
};
