// Moves among the rows of the list by keys, while the focus is in it: single letters must do nothing
// elsewhere (WCAG 2.1.4).
"use strict";

const links = () => [...document.querySelectorAll("#found tbody th a")];

const moves = {
  ArrowDown: (at) => at + 1,
  j: (at) => at + 1,
  ArrowUp: (at) => at - 1,
  k: (at) => at - 1,
  Home: () => 0,
  End: () => links().length - 1,
};

const search = document.getElementById("q");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const all = links();
  const at = all.indexOf(document.activeElement);
  let next = null;
  if (at >= 0 && event.key === "/") next = search;
  else if (at >= 0 && moves[event.key]) {
    next = all[Math.max(0, Math.min(moves[event.key](at), all.length - 1))];
  } else if (event.target === search && event.key === "ArrowDown") next = all[0];
  if (next) {
    event.preventDefault();
    next.focus();
  }
});

document.querySelector(".keys").hidden = false;

// What was typed before the scripts had come is searched for too.
document.addEventListener(
  "htmx:after:process",
  () => {
    if (search.value !== search.defaultValue) {
      search.dispatchEvent(new Event("input", { bubbles: true }));
    }
  },
  { once: true },
);
