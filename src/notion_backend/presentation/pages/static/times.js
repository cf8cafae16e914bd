// Shows moments in the zone of whoever reads them; without scripts they are in UTC.
"use strict";

{
  const zoneOf = new Intl.DateTimeFormat(document.documentElement.lang, { timeZoneName: "short" });
  // Swedish writes dates as ISO 8601 does.
  const local = new Intl.DateTimeFormat("sv", { dateStyle: "short", timeStyle: "short" });

  function show() {
    for (const element of document.querySelectorAll("time[datetime]:not([title])")) {
      const moment = new Date(element.dateTime);
      const zone = zoneOf.formatToParts(moment).find(({ type }) => type === "timeZoneName").value;
      element.title = element.textContent;
      element.textContent = `${local.format(moment)} ${zone}`;
    }
  }

  show();
  document.addEventListener("htmx:after:swap", show);
}
