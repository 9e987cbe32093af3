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
  const text = (size < 1e-3 || size >= 1e5) ? value.toExponential(1) : value.toFixed(size >= 100 ? 1 : 4);
  return text.replace("-", "−").replace("e-", "e−").replace("e+", "e");
};

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

const inputsPanel = (data, k, t) => {
  const { names, values, raw, is_code: isCode, n } = data.inputs;
  const scale = largest(values);
  const hasRaw = raw !== null && raw.some((row, s) => row.some((value, c) => value !== null && value !== values[s][c]));
  const order = names.map((_, c) => c).sort((a, b) => Math.abs(values[k][b]) - Math.abs(values[k][a])).slice(0, 12).sort((a, b) => a - b);
  const rows = order.map((c) => html("tr", {}, html("th", { scope: "row", dir: "auto" }, names[c]),
    ...(hasRaw ? [html("td", { class: "number" }, typeof raw[k][c] === "string" ? raw[k][c] : raw[k][c] === null ? "–" : String(raw[k][c]))] : []),
    html("td", { class: "number", style: isCode[c] ? "" : shade(values[k][c], scale) }, isCode[c] ? `id ${values[k][c]}` : number(values[k][c]))));
  const table = html("table", {}, headings(hasRaw ? ["input", "in the data", `x_${t}`] : ["input", `x_${t}`]), html("tbody", {}, ...rows));
  const more = n - order.length;
  return panel("What comes in", html("div", {}, table, ...(more > 0 ? [html("p", { class: "soft" }, `and ${more} more`)] : [])));
};

const unitsPanel = (passage, k, t, way) => {
  const isGated = Object.keys(passage.gates).length > 0;
  const states = Object.keys(passage.states);
  const forward = [
    ...Object.keys(passage.pre).map((gate) => [isGated ? `a_${gate}` : `a_${t}`, passage.pre[gate]]),
    ...Object.keys(passage.gates).map((gate) => [gate, passage.gates[gate]]),
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
    html("th", { scope: "col" }, "of the most"), html("th", { scope: "col", class: "number" }, "|gradient|")));
  return panel(`What step ${t} adds to each gradient`, html("table", {}, heads, html("tbody", {}, ...rows)));
};

const matrix = (caption, rows, scale, gates, label) => {
  const across = rows[0].length, down = rows.length;
  const size = Math.max(3, Math.min(20, Math.floor(170 / Math.max(across, down / gates.length))));
  const each = gates.length > 1 ? Math.max(3, Math.min(size, Math.floor(240 / down))) : size;
  const lead = gates.length > 1 ? 16 : 0;
  const width = lead + across * size + 1, height = down * each + 1 + 4 * (gates.length - 1);
  const svg = element("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  const block = down / gates.length;
  rows.forEach((row, r) => {
    const y = r * each + 4 * Math.floor(r / block);
    if (lead && r % block === 0) svg.append(element("text", { x: 0, y: y + Math.min(12, each * block / 2 + 4), class: "soft small" }, gates[r / block]));
    row.forEach((value, c) => svg.append(element("rect", {
      x: lead + c * size + 0.5, y: y + 0.5, width: size - (size > 5 ? 1 : 0), height: each - (each > 5 ? 1 : 0),
      fill: value < 0 ? "var(--c0)" : "var(--c1)", "fill-opacity": (0.04 + 0.96 * Math.min(1, Math.abs(value ?? 0) / scale)).toFixed(3),
    })));
  });
  return html("figure", {}, html("figcaption", {}, equation(caption)), svg);
};

const outer = (rows, columns, k) => rows[k].map((a) => columns[k].map((b) => a * b));

const matricesPanel = (data, passage, k, t) => {
  const { gates, weight_hh: recurrent, weight_ih: input } = passage.terms;
  const groups = [];
  for (const [name, term] of [["W_hh", recurrent], ["W_ih", input]]) {
    const added = outer(term.rows, term.columns, k);
    const end = passage.is_reverse ? 0 : data.steps.length - 1;
    const [from, to] = [Math.min(k, end), Math.max(k, end)];
    const isWhole = data.steps[to] - data.steps[from] === to - from;
    const scale = largest([term.gradient, added]);
    const figures = [];
    figures.push(matrix(`step ${t}`, added, scale, gates, `What step ${t} adds to the gradient of ${name}`));
    if (isWhole && from !== to) {
      const sum = added.map((row) => row.map(() => 0));
      for (let s = from; s <= to; s++) outer(term.rows, term.columns, s).forEach((row, r) => row.forEach((value, c) => { sum[r][c] += value; }));
      figures.push(matrix(`steps ${data.steps[from]} to ${data.steps[to]}`, sum, scale, gates, `Sum over steps ${data.steps[from]} to ${data.steps[to]}`));
    }
    figures.push(matrix("all steps", term.gradient, scale, gates, `The whole gradient of ${name}`));
    groups.push(html("div", {}, html("p", { class: "soft" }, equation(`dL/d${name}: what is added by`)), html("div", { class: "u-matrices" }, ...figures)));
  }
  return panel("As matrices: units down, what they read across", html("div", { class: "u-weights" }, ...groups), gates.length > 1 || passage.units.length > 8 ? "wide" : "");
};

const fillPanel = (holder, data, passage, k, way) => {
  const t = data.steps[k];
  const name = data.n_passages > 1 ? `, layer ${passage.layer + 1}${passage.is_reverse ? " in reverse" : ""}` : "";
  const lines = data.equations[way].map((line) => html("li", {}, equation(line)));
  const size = number(passage.norms.d_h[k]);
  const [inputs, units, added] = [inputsPanel(data, k, t), unitsPanel(passage, k, t, way), contributionsPanel(data, passage, k, t)];
  const panels = units.classList.contains("wide") ? [inputs, added, units] : [inputs, units, added];
  holder.replaceChildren(
    html("h3", {}, `Step ${t} of ${data.n_steps}${name}`),
    html("p", { class: "u-sum" }, equation(`|h_${t}| = ${number(passage.norms.h[k])}, |dL/dh_${t}| = ${size}`)),
    html("ul", { class: "u-equations" }, ...lines, ...data.equations.remarks.map((line) => html("li", { class: "u-remark" }, equation(line)))),
    html("div", { class: "u-panels" }, ...panels, matricesPanel(data, passage, k, t)),
  );
  for (const each of holder.querySelectorAll(".u-panel")) if (each.scrollWidth > each.clientWidth) each.tabIndex = 0;
};
