// Draws each chart at its place, in the colours of the theme and within the room there; again when either changes.
(() => {
  "use strict";
  const configs = JSON.parse(document.getElementById("chart-configs").textContent);
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const places = [...document.querySelectorAll(".chart[data-chart]")];
  const specs = new Map(
    [...document.querySelectorAll("script.chart-spec")].map((each) => [each.dataset.chart, JSON.parse(each.textContent)]),
  );
  const drawn = new Map(); // place -> what vegaEmbed gave
  const narrowest = 100; // pixels of a plotting area
  let round = 0;
  let theme = document.documentElement.dataset.theme || (system.matches ? "dark" : "light");

  // The widths in a specification, each with the object that holds it.
  const widths = (spec) => {
    const found = typeof spec.width === "number" ? [spec] : [];
    for (const part of ["vconcat", "layer"]) (spec[part] || []).forEach((each) => found.push(...widths(each)));
    return spec.spec ? found.concat(widths(spec.spec)) : found;
  };

  // Names beside a narrow chart take a third of it at most.
  const shorten = (part, most) => {
    if (part === null || typeof part !== "object") return;
    if (part.labelLimit > most) part.labelLimit = most;
    Object.entries(part).forEach(([name, value]) => { if (name !== "data" && name !== "datasets") shorten(value, most); });
  };

  // Legends beside which there is little room stand in two columns.
  const inColumns = (part) => {
    if (part === null || typeof part !== "object") return;
    if (part.legend && typeof part.legend === "object") part.legend.columns = Math.min(part.legend.columns || 2, 2);
    Object.entries(part).forEach(([name, value]) => { if (name !== "data" && name !== "datasets") inColumns(value); });
  };

  // Lines of as many characters as the room holds, broken between words.
  const wrapped = (text, most) => text.split(" ").reduce((lines, word) => {
    const last = lines[lines.length - 1];
    if (last !== undefined && last.length + word.length < most) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
    return lines;
  }, []);

  const wrapTitle = (spec, room) => {
    if (typeof spec.title === "string") spec.title = { text: spec.title };
    for (const part of ["text", "subtitle"]) {
      if (typeof spec.title?.[part] === "string") spec.title[part] = wrapped(spec.title[part], Math.floor(room / 6.5));
    }
  };

  const embed = (place, spec) => window.vegaEmbed(place, spec, {
    mode: "vega-lite",
    renderer: "svg",
    actions: false,
    ast: true, // expressions are interpreted, not evaluated, as the page's policy wants it
    config: { ...configs[theme], background: "transparent" },
    tooltip: { theme },
    formatLocale: { decimal: ".", thousands: ",", grouping: [3], currency: ["", ""], percent: "\u00a0%" },
  });

  const drawOne = async (place) => {
    const spec = structuredClone(specs.get(place.dataset.chart));
    let result = await embed(place, spec);
    const held = widths(spec);
    let excess = place.querySelector("svg").width.baseVal.value - place.clientWidth;
    for (let tries = 0; excess > 0 && held.length && tries < 3; tries += 1) {
      wrapTitle(spec, place.clientWidth);
      shorten(spec, Math.round(place.clientWidth / 3));
      spec.config = { axis: { labelLimit: Math.round(place.clientWidth / 4) }, legend: { gradientLength: 80, columns: 2 } };
      const legends = tries === 0 && place.clientWidth < 480;
      if (legends) inColumns(spec);
      held.forEach((each) => { each.width = Math.max(narrowest, Math.floor(each.width - excess)); });
      result.finalize();
      result = await embed(place, spec);
      excess = place.querySelector("svg").width.baseVal.value - place.clientWidth;
    }
    drawn.get(place)?.finalize();
    drawn.set(place, result);
    if (excess > 0) place.tabIndex = 0; // what scrolls is reached by keyboard
    else place.removeAttribute("tabindex");
  };

  const drawAll = async () => {
    const mine = ++round;
    for (const place of places) {
      if (mine !== round) return; // a newer round has begun
      await drawOne(place);
    }
    document.documentElement.dataset.charts = theme; // all are there
  };

  document.addEventListener("elman-theme", (event) => {
    if (event.detail === theme) return;
    theme = event.detail;
    drawAll();
  });
  let room = document.documentElement.clientWidth;
  let waiting;
  window.addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      if (document.documentElement.clientWidth === room) return;
      room = document.documentElement.clientWidth;
      drawAll();
    }, 150);
  });
  drawAll();
})();
