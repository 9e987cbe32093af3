// The panel below the drawing: what happens at one step, and what it adds to each weight's gradient.
const html = (name, attributes = {}, ...inside) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...inside);
  return made;
};

const number = (value) => {
  if (value === null || value === undefined) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  return typeset((size < 1e-3 || size >= 1000) ? value.toExponential(1) : value.toFixed(size >= 100 ? 3 : 4));
};

const typeset = (text) => text.replace("e+", "e").replaceAll("-", "−").replace(/e(−?)0(?=\d)/, "e$1");

const equation = (text) => {
  const made = html("span");
  for (const part of text.split(/(_\{[^}]*\}|_\w+|\^\w+|<-)/)) {
    if (part.startsWith("_")) made.append(html("sub", {}, part.replace(/[_{}]/g, "").replace("-", "−")));
    else if (part.startsWith("^")) made.append(html("sup", {}, part.slice(1)));
    else made.append(part === "<-" ? "←" : part.replace(/ - /g, " − ").replace(/-(?=ln)/g, "−"));
  }
  return made;
};

const shade = (value, scale) => {
  const share = Math.round(40 * Math.min(1, Math.abs(value ?? 0) / scale));
  return `background: color-mix(in srgb, var(${value < 0 ? "--c0" : "--c1"}) ${share}%, transparent)`;
};

const panel = (title, content, kind = "") => html("section", { class: `u-panel ${kind}`, style: "margin:0;padding:0;border:0" }, html("h4", {}, title), content);

const headings = (names) => html("thead", {}, html("tr", {}, ...names.map((name, k) => html("th", { scope: "col", class: k ? "number" : "" }, equation(name)))));

// What a layer reads: of the first layer the features, of others the states of the layer below.
const inputsPanel = (data, passage, k, t) => {
  const isFirst = passage.layer === 0;
  const { inputs: units, n_inputs: nUnits, weight_ih: read } = passage.terms;
  const { names, values, raw, is_code: isCode, n } = isFirst
    ? data.inputs
    : { names: units, values: read.columns, raw: null, is_code: [], n: nUnits };
  const scale = largest(values);
  const hasRaw = raw !== null && raw.some((row, s) => row.some((value, c) => value !== null && value !== values[s][c]));
  const inData = (value) => (typeof value === "number" ? typeset(String(value)) : value ?? "–");
  const order = names.map((_, c) => c).sort((a, b) => Math.abs(values[k][b]) - Math.abs(values[k][a])).slice(0, 12).sort((a, b) => a - b);
  const rows = order.map((c) => html("tr", {}, html("th", { scope: "row", dir: "auto" }, names[c]),
    ...(hasRaw ? [html("td", { class: "number" }, inData(raw[k][c]))] : []),
    html("td", { class: "number", style: isCode[c] ? "" : shade(values[k][c], scale) }, isCode[c] ? `id ${values[k][c]}` : number(values[k][c]))));
  const heads = isFirst ? ["feature", ...(hasRaw ? ["in the data"] : []), `x_${t}`] : [`layer ${passage.layer}`, `x_${t} = h_${t} of layer ${passage.layer}`];
  const table = html("table", {}, headings(heads), html("tbody", {}, ...rows));
  const more = n - order.length;
  return panel("Input", html("div", {}, table, ...(more > 0 ? [html("p", { class: "soft" }, `and ${more} more`)] : [])));
};

const unitsPanel = (passage, k, t, way) => {
  const isGated = Object.keys(passage.gates).length > 0;
  const states = Object.keys(passage.states);
  const forward = [
    ...Object.keys(passage.pre).map((gate) => [isGated ? `a_${gate}` : `a_${t}`, passage.pre[gate]]),
    ...Object.keys(passage.gates).map((gate) => [`${gate}_${t}`, passage.gates[gate]]),
    ...states.reverse().map((state) => [`${state}_${t}`, passage.states[state]]),
  ];
  const backward = [
    ...states.map((state) => [`dL/d${state}_${t}`, passage.d_states[state]]).reverse(),
    ...Object.keys(passage.d_pre).map((gate) => [isGated ? `dL/da_${gate}` : `dL/da_${t}`, passage.d_pre[gate]]),
  ];
  const columns = isGated ? (way === "forward" ? forward : backward) : [...forward, ...backward];
  const scales = columns.map(([, values]) => largest(values));
  const rows = passage.units.map((unit, u) => html("tr", {}, html("th", { scope: "row" }, String(unit)),
    ...columns.map(([, values], c) => html("td", { class: "number", style: shade(values[k][u], scales[c]) }, number(values[k][u])))));
  const more = passage.n_units - passage.units.length;
  const table = html("table", {}, headings(["unit", ...columns.map(([name]) => name)]), html("tbody", {}, ...rows));
  const title = isGated ? (way === "forward" ? "Pre-activations, gates and states" : "Gradients of states and pre-activations") : "Units, forward and back";
  return panel(title, html("div", {}, table, ...(more > 0 ? [html("p", { class: "soft" }, `and ${more} less active units`)] : [])), isGated ? "wide" : "");
};

const contributionsPanel = (data, passage, k, t) => {
  const ofLayer = data.parameters.filter((each) => each.name.endsWith(`_${passage.name}`) || !/_l\d+(_reverse)?$/.test(each.name));
  const rows = ofLayer.map((each) => {
    const top = largest(each.norms);
    const share = 100 * each.norms[k] / top;
    return html("tr", {}, html("th", { scope: "row" }, each.name.replace(`_${passage.name}`, "")), html("td", { class: "number" }, number(each.norms[k])),
      html("td", {}, html("span", { class: "u-track" }, html("i", { style: `width:${share.toFixed(1)}%` }))),
      html("td", { class: "number" }, number(each.gradient)));
  });
  const heads = html("thead", {}, html("tr", {}, html("th", { scope: "col" }, "parameter"), html("th", { scope: "col", class: "number" }, `step ${t} adds`),
    html("th", { scope: "col" }, "share of the largest step"), html("th", { scope: "col", class: "number" }, "|gradient|")));
  const note = html("p", { class: "soft" }, "Norms. Steps add up as vectors, so |gradient| may be less than the norm of a single step.");
  return panel(`What step ${t} adds to each gradient`, html("div", {}, html("table", {}, heads, html("tbody", {}, ...rows)), note));
};

// A matrix as coloured cells; what is shown of it is named: rows, gate by gate, at its left, columns below it.
const matrix = (caption, rows, scale, names, label) => {
  const { gates, units, across: columns } = names;
  const across = rows[0].length, down = rows.length, block = down / gates.length;
  const size = Math.max(3, Math.min(20, Math.floor(190 / Math.max(across, block))));
  const each = gates.length > 1 ? Math.max(3, Math.min(size, Math.floor(320 / down))) : size;
  const isNamed = { rows: each >= 10, columns: size >= 10 };
  const lead = (gates.length > 1 ? 16 : 0) + (isNamed.rows ? 20 : 0);
  const foot = isNamed.columns ? 8 + Math.max(...columns.map((name) => 6 * Math.min(12, name.length))) : 0;
  const height = down * each + 1 + 4 * (gates.length - 1);
  const svg = element("svg", { width: lead + across * size + 4, height: height + foot, role: "img", "aria-label": label });
  const put = (text, x, y, attributes = {}) => svg.append(element("text", { x, y, class: "soft tiny", ...attributes }, text));
  rows.forEach((row, r) => {
    const y = r * each + 4 * Math.floor(r / block);
    if (gates.length > 1 && r % block === 0) put(gates[r / block], 0, y + Math.min(12, each * block / 2 + 4));
    if (isNamed.rows) put(units[r % block], lead - 4, y + each / 2 + 3.5, { "text-anchor": "end" });
    row.forEach((value, c) => svg.append(element("rect", {
      x: lead + c * size + 0.5, y: y + 0.5, width: size - (size > 5 ? 1 : 0), height: each - (each > 5 ? 1 : 0),
      fill: value < 0 ? "var(--c0)" : "var(--c1)", "fill-opacity": (0.04 + 0.96 * Math.min(1, Math.abs(value ?? 0) / scale)).toFixed(3),
    })));
  });
  if (isNamed.columns) columns.forEach((name, c) => {
    const x = lead + (c + 0.5) * size + 3.5, y = height + 4;
    put(withoutMiddle(name, 12), x, y, { "text-anchor": "end", transform: `rotate(-90 ${x} ${y})` });
  });
  return html("figure", {}, html("figcaption", {}, equation(caption)), svg);
};

const key = (scale) => html("span", { class: "u-key" }, html("i", {}), typeset(`-${scale.toPrecision(2)} to ${scale.toPrecision(2)}`));

const outer = (rows, columns, k) => rows[k].map((a) => columns[k].map((b) => a * b));

const matricesPanel = (data, passage, k, t) => {
  const { gates, inputs, weight_hh: recurrent, weight_ih: input } = passage.terms;
  const units = passage.units.map(String);
  const groups = [];
  const read = passage.layer === 0 ? inputs : inputs.map((name) => name.replace("unit ", ""));
  for (const [name, term, across, of] of [["W_hh", recurrent, units, "h_{t-1}"], ["W_ih", input, read, "x_t"]]) {
    const names = { gates, units, across };
    const added = outer(term.rows, term.columns, k);
    const end = passage.is_reverse ? 0 : data.steps.length - 1;
    const [from, to] = [Math.min(k, end), Math.max(k, end)];
    const isWhole = data.steps[to] - data.steps[from] === to - from;
    const scale = largest([term.gradient, added]);
    const figures = [];
    figures.push(matrix(`step ${t}`, added, scale, names, `What step ${t} adds to the gradient of ${name}`));
    if (isWhole && from !== to && to - from < data.n_steps - 1) {
      const sum = added.map((row) => row.map(() => 0));
      for (let s = from; s <= to; s++) outer(term.rows, term.columns, s).forEach((row, r) => row.forEach((value, c) => { sum[r][c] += value; }));
      figures.push(matrix(`steps ${data.steps[from]} to ${data.steps[to]}`, sum, scale, names, `Sum over steps ${data.steps[from]} to ${data.steps[to]}`));
    }
    figures.push(matrix("all steps", term.gradient, scale, names, `The whole gradient of ${name}`));
    groups.push(html("div", {}, html("p", { class: "soft" }, equation(`dL/d${name}, units by ${of}, colours from `), key(scale)), html("div", { class: "u-matrices" }, ...figures)));
  }
  return panel("As matrices: units down, what they read across", html("div", { class: "u-weights" }, ...groups), gates.length > 1 || passage.units.length > 8 ? "wide" : "");
};

// Where there is more to scroll to, the edge fades.
const fadeEdges = (box) => {
  const fade = () => {
    box.classList.toggle("u-more-left", box.scrollLeft > 4);
    box.classList.toggle("u-more-right", box.scrollLeft + box.clientWidth < box.scrollWidth - 4);
  };
  box.addEventListener("scroll", fade, { passive: true });
  new ResizeObserver(fade).observe(box);
  fade();
};

const fillPanel = (holder, data, passage, k, way) => {
  const t = data.steps[k];
  const name = data.n_passages > 1 ? `, layer ${passage.layer + 1}${passage.is_reverse ? ", reverse" : ""}` : "";
  const lines = data.equations[way].map((line) => html("li", {}, equation(line)));
  const size = number(passage.norms.d_h[k]);
  const [inputs, units, added] = [inputsPanel(data, passage, k, t), unitsPanel(passage, k, t, way), contributionsPanel(data, passage, k, t)];
  const panels = units.classList.contains("wide") ? [inputs, added, units] : [inputs, units, added];
  holder.replaceChildren(
    html("h3", {}, `Step ${t} of ${data.n_steps}${name}`),
    html("p", { class: "u-sum" }, equation(`|h_${t}| = ${number(passage.norms.h[k])}, |dL/dh_${t}| = ${size}`)),
    html("ul", { class: "u-equations" }, ...lines, ...data.equations.remarks.map((line) => html("li", { class: "u-remark" }, equation(line)))),
    html("div", { class: "u-panels" }, ...panels, matricesPanel(data, passage, k, t)),
  );
  for (const each of holder.querySelectorAll(".u-panel")) {
    if (each.scrollWidth > each.clientWidth) each.tabIndex = 0;
    fadeEdges(each);
  }
};
