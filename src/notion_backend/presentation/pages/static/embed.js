// Puts the form of the service that serves this script where its tag stands, and keeps the frame as
// high as the form. Attributes of the tag: data-lang (en, de), data-title.
"use strict";

{
  const tag = document.currentScript;
  const origin = new URL(tag.src).origin;
  const frame = document.createElement("iframe");
  const { lang, title } = tag.dataset;
  frame.src = `${origin}/${lang ? `?lang=${encodeURIComponent(lang)}` : ""}`;
  frame.title = title || "Form";
  frame.loading = "lazy";
  frame.style.cssText = "width: 100%; height: 40rem; border: 0";
  tag.after(frame);

  window.addEventListener("message", (event) => {
    if (event.source !== frame.contentWindow || event.origin !== origin) return;
    const height = event.data?.notionBackendHeight;
    if (Number.isFinite(height)) frame.style.height = `${Math.ceil(height)}px`;
  });
}
