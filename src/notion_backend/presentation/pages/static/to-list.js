// Leads back to the list as it was left: with its search, its tab and its order.
"use strict";

{
  // Whoever signs in next gets nothing of it.
  const user = document.querySelector('a[href="/console/account"]').textContent;
  const key = `list of ${user}`;

  // What was just done is not said again there.
  function keepPlace() {
    const place = new URLSearchParams(location.search);
    place.delete("done");
    sessionStorage.setItem(key, `/console?${place}`);
  }

  if (document.getElementById("found")) {
    keepPlace();
    document.addEventListener("htmx:after:history:update", keepPlace);
  }
  const list = sessionStorage.getItem(key);
  for (const link of list ? document.querySelectorAll("[data-to-list]") : []) {
    link.href = list;
  }
}
