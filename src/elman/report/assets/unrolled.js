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
  const state = { k: data.steps.length - 1, passage: data.passages.findIndex((passage) => passage.layer === topLayer), way: "forward" };
  let bars, timer;
  scroll.append(drawn.svg);

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
    if (isMoved) {
      const x = drawn.at.x[state.k], half = drawn.at.column / 2;
      if (x + half > scroll.scrollLeft + scroll.clientWidth) scroll.scrollLeft = x + half - scroll.clientWidth;
      if (x - half < scroll.scrollLeft) scroll.scrollLeft = x - half;
    }
  };

  const choose = (k, isMoved = false) => {
    const within = Math.max(0, Math.min(data.steps.length - 1, k));
    if (within === state.k && !isMoved) return;
    state.k = within;
    show(isMoved);
  };

  const turn = (way) => { state.way = way; show(false); };

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
      const last = data.steps.length - 1;
      if (state.way === "forward" && state.k === last) turn("backward");
      else if (state.way === "backward" && state.k === 0) stop();
      else choose(state.k + (state.way === "forward" ? 1 : -1), true);
    }, 900);
  };

  scroll.addEventListener("pointermove", (event) => { if (!timer) choose(stepAt(event)); });
  scroll.addEventListener("click", (event) => { stop(); choose(stepAt(event)); });
  scroll.addEventListener("keydown", (event) => {
    const to = { ArrowRight: state.k + 1, ArrowUp: state.k + 1, ArrowLeft: state.k - 1, ArrowDown: state.k - 1, Home: 0, End: data.steps.length - 1 }[event.key];
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
  scroll.scrollLeft = drawn.at.right + (scroll.clientWidth > 500 ? drawn.at.output : 8) - scroll.clientWidth;
};

document.querySelectorAll(".unrolled:not([data-ready])").forEach(begin);
