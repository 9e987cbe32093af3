// The toggle between light and dark, and what a page needs to be printed whole. Charts listen to "elman-theme".
(() => {
  "use strict";
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const button = document.querySelector(".theme-toggle");
  const current = () => root.dataset.theme || (system.matches ? "dark" : "light");
  const tell = () => {
    const other = current() === "dark" ? "light" : "dark";
    button.textContent = other === "dark" ? "Dark" : "Light";
    button.setAttribute("aria-label", `Show this page in ${other} colours`);
    document.dispatchEvent(new CustomEvent("elman-theme", { detail: current() }));
  };
  button.addEventListener("click", () => {
    root.dataset.theme = current() === "dark" ? "light" : "dark";
    tell();
  });
  system.addEventListener("change", tell);
  button.hidden = false;
  tell();

  let closed = []; // details that the reader had closed before printing
  let before; // the theme that the page had
  window.addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    closed.forEach((each) => { each.open = true; });
    before = root.dataset.theme;
    root.dataset.theme = "light";
    tell();
  });
  window.addEventListener("afterprint", () => {
    closed.forEach((each) => { each.open = false; });
    if (before === undefined) delete root.dataset.theme;
    else root.dataset.theme = before;
    tell();
  });
})();
