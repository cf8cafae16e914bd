// Hears from the server that something has happened and lets the list refresh itself. A hidden window
// does not listen: a browser opens only six connections to a host, for all of its windows.
"use strict";

const RETRY_MS = 30000;
const CALM_MS = 1000;
const AGAIN_MS = 10000;
const news = document.getElementById("news");
const told = document.getElementById("told");
let stream = null;
let waiting = null;

function listen() {
  if (stream || document.hidden) return;
  stream = new EventSource("/console/live");
  // What came between the page and its stream, or while that was broken, nobody tells of.
  stream.addEventListener("mark", ({ data }) => {
    if (data !== document.getElementById("found").dataset.mark) refresh();
  });
  stream.addEventListener("changed", refresh);
  stream.addEventListener("error", () => {
    // While it says that it is connecting the browser tries again by itself.
    if (stream && stream.readyState === EventSource.CLOSED) {
      stop();
      refresh();
      setTimeout(listen, RETRY_MS);
    }
  });
}

function stop() {
  if (stream) stream.close();
  stream = null;
}

// Many changes in a row are one refresh.
function refresh() {
  if (waiting) return;
  waiting = setTimeout(() => {
    waiting = null;
    document.body.dispatchEvent(new CustomEvent("leads-changed"));
  }, CALM_MS);
}

// The list that is there is of more use than the page of an error in its place. It is asked for once
// more; after a search that failed that is the search, for the list still shows what was before.
let failedSearch = false;
let again = null;
for (const kind of ["htmx:response:error", "htmx:error"]) {
  document.body.addEventListener(kind, ({ detail }) => {
    failedSearch ||= detail.ctx?.sourceElement?.matches("form") ?? false;
    news.textContent = news.dataset.failed;
    clearTimeout(again);
    again = setTimeout(ask, AGAIN_MS);
  });
}

function ask() {
  if (failedSearch) document.getElementById("q").dispatchEvent(new Event("input", { bubbles: true }));
  else refresh();
}

const ids = () =>
  [...document.querySelectorAll("#found tbody tr")].map((row) => Number(row.id.replace("lead-", "")));
let newest = Math.max(0, ...ids());
let fresh = 0;

document.body.addEventListener("htmx:after:swap", ({ detail }) => {
  // An error takes no place, and yet it is told of as if it did.
  if (detail.ctx.response.status >= 400) return;
  const shown = ids();
  if (detail.ctx.sourceElement.matches("form")) {
    failedSearch = false;
    fresh = 0;
    told.textContent = told.dataset[["none", "one"][shown.length] ?? "many"].replace("{n}", shown.length);
  } else if (failedSearch) {
    return;
  } else {
    // Others may have moved up from the next page, or come back to this tab.
    fresh += shown.filter((id) => id > newest).length;
  }
  newest = Math.max(newest, ...shown);
  tellNews();
});

// The same words again would be read out again.
function tellNews() {
  const kind = fresh === 1 ? news.dataset.one : news.dataset.many.replace("{n}", fresh);
  const text = fresh === 0 ? "" : kind;
  if (news.textContent !== text) news.textContent = text;
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    stop();
  } else {
    listen();
    refresh();
  }
});

listen();
