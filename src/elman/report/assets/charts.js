// Draws each chart at its place, in the colours of the theme; again when the theme changes.
(() => {
  "use strict";
  const configs = JSON.parse(document.getElementById("chart-configs").textContent);
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const drawn = new Map(); // place -> what vegaEmbed gave
  const places = [...document.querySelectorAll(".chart[data-chart]")];
  const specs = new Map(
    [...document.querySelectorAll("script.chart-spec")].map((each) => [each.dataset.chart, JSON.parse(each.textContent)]),
  );
  let round = 0;

  const draw = async (theme) => {
    const mine = ++round;
    for (const place of places) {
      const options = {
        mode: "vega-lite",
        renderer: "svg",
        actions: false,
        ast: true, // expressions are interpreted, not evaluated, as the page's policy wants it
        config: configs[theme],
        tooltip: { theme },
      };
      const result = await window.vegaEmbed(place, specs.get(place.dataset.chart), options);
      if (mine !== round) return result.finalize();
      drawn.get(place)?.finalize();
      drawn.set(place, result);
      place.classList.add("drawn");
    }
    document.documentElement.dataset.charts = theme; // all are there
  };

  document.addEventListener("elman-theme", (event) => draw(event.detail));
  draw(document.documentElement.dataset.theme || (system.matches ? "dark" : "light"));
})();
