const PAPER = 660;  // pixels across a printed page of A4

// One view: which step, which layer and which way are shown, and what changes them.
const begin = (root, place) => {
  root.dataset.ready = "yes";
  const data = JSON.parse(root.querySelector(".unrolled-data").textContent);
  const scroll = root.querySelector(".u-scroll");
  const detail = root.querySelector(".u-detail");
  const whole = root.querySelector(".u-whole");
  const layer = root.querySelector(".u-layer");
  const buttons = [...root.querySelectorAll(".u-switch button")];
  const play = root.querySelector(".u-play");
  const drawn = draw(data, `u-arrow-${place}`, scroll.clientWidth);
  const topLayer = data.passages[data.passages.length - 1].layer;
  const last = data.steps.length - 1;
  // A way begins at its first step, of a tagger at the first that has a label.
  const labelled = data.steps.map((_, k) => k).filter((k) => !drawn.at.everyStep || data.output.target[k] !== null);
  const begins = { forward: labelled[0] ?? 0, backward: labelled[labelled.length - 1] ?? last };
  const state = { k: begins.forward, passage: data.passages.findIndex((passage) => passage.layer === topLayer), way: "forward" };
  let bars, timer;
  scroll.append(drawn.svg);
  root.style.setProperty("--print-zoom", Math.min(1, PAPER / (drawn.at.width + 96)).toFixed(3));

  const showBars = () => {
    const passage = data.passages[state.passage];
    if (bars) bars.holder.remove();
    bars = drawBars(drawn.svg, data, drawn.at, passage, drawn.groups);
    root.querySelector(".u-labels").replaceChildren(drawLabels(data, drawn.at, bars.marks));
    whole.hidden = data.steps.length === data.n_steps;
    if (!whole.hidden) whole.replaceChildren(drawWhole(data, passage, Math.max(280, whole.clientWidth || scroll.clientWidth)));
  };

  const show = (isMoved) => {
    const passage = data.passages[state.passage];
    root.dataset.way = state.way;
    root.dataset.step = data.steps[state.k];
    buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.way === state.way)));
    drawn.columns.forEach((column, k) => column.classList.toggle("chosen", k === state.k));
    drawn.groups.forEach((group, k) => group.classList.toggle("u-chosen", k === state.k));
    scroll.setAttribute("aria-valuenow", data.steps[state.k]);
    scroll.setAttribute("aria-valuetext", `step ${data.steps[state.k]} of ${data.n_steps}, size of the gradient ${short(passage.norms.d_h[state.k])}`);
    fillPanel(detail, data, passage, state.k, state.way);
    if (isMoved) reveal(state.k);
  };

  const reveal = (k) => {
    const from = k === 0 ? 0 : drawn.at.x[k] - drawn.at.column / 2;
    const to = k === last ? drawn.at.width : drawn.at.x[k] + drawn.at.column / 2;
    if (to > scroll.scrollLeft + scroll.clientWidth) scroll.scrollLeft = to - scroll.clientWidth;
    if (from < scroll.scrollLeft) scroll.scrollLeft = from;
  };

  const hint = () => {
    const seen = data.steps.filter((_, k) => drawn.at.x[k] >= scroll.scrollLeft && drawn.at.x[k] <= scroll.scrollLeft + scroll.clientWidth);
    const note = root.querySelector(".u-hint");
    note.hidden = scroll.scrollWidth <= scroll.clientWidth + 4;
    note.textContent = `In view: steps ${seen[0]} to ${seen[seen.length - 1]} of ${data.n_steps}. Scroll sideways for the rest.`;
  };

  const choose = (k, isMoved = false) => {
    const within = Math.max(0, Math.min(data.steps.length - 1, k));
    if (within === state.k && !isMoved) return;
    state.k = within;
    show(isMoved);
  };

  // Who has not left where the other way begins goes to where this one begins.
  const turn = (way) => {
    const isAtStart = state.k === begins[state.way];
    if (way !== state.way && isAtStart) state.k = begins[way];
    state.way = way;
    show(isAtStart);
  };

  const stepAt = (event) => {
    const left = drawn.svg.getBoundingClientRect();
    const x = (event.clientX - left.left) * drawn.at.width / left.width;
    const near = drawn.at.x.findIndex((centre) => Math.abs(centre - x) <= drawn.at.column / 2);
    return near < 0 ? state.k : near;
  };

  const stop = () => { clearInterval(timer); timer = undefined; play.textContent = "Play"; };

  const start = () => {
    state.way = "forward";
    choose(0, true);
    play.textContent = "Stop";
    timer = setInterval(() => {
      if (state.way === "forward" && state.k === last) turn("backward");
      else if (state.way === "backward" && state.k === 0) stop();
      else choose(state.k + (state.way === "forward" ? 1 : -1), true);
    }, 900);
  };

  scroll.addEventListener("pointermove", (event) => { if (!timer) choose(stepAt(event)); });
  scroll.addEventListener("click", (event) => { stop(); choose(stepAt(event)); });
  scroll.addEventListener("keydown", (event) => {
    const to = { ArrowRight: state.k + 1, ArrowUp: state.k + 1, ArrowLeft: state.k - 1, ArrowDown: state.k - 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    stop();
    choose(to, true);
  });
  buttons.forEach((button) => button.addEventListener("click", () => { stop(); turn(button.dataset.way); }));
  play.addEventListener("click", () => (timer ? stop() : start()));
  if (layer) layer.addEventListener("change", () => { state.passage = Number(layer.value); showBars(); show(false); });
  if (layer) layer.value = String(state.passage);
  showBars();
  show(false);
  reveal(state.k);
  if (!drawn.at.everyStep && !drawn.at.isBeside) {
    const below = root.querySelector(".u-scores");
    const svg = element("svg", { width: 186, height: drawn.at.scores + 28 });
    drawScores(svg, data, drawn.at, 1, 1);
    below.append(svg);
    below.hidden = false;
  }
  scroll.addEventListener("scroll", hint, { passive: true });
  new ResizeObserver(hint).observe(scroll);
  fadeEdges(scroll);
  hint();
};

document.querySelectorAll(".unrolled:not([data-ready])").forEach(begin);
