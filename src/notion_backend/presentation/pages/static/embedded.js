// In a frame of another page: tells that page how high this one is, so that it needs no bar to scroll
// by. Nothing but a number is told, so whoever holds the frame may hear it.
"use strict";

if (window.self !== window.top) {
  document.documentElement.classList.add("embedded");
  const tell = () => {
    const notionBackendHeight = document.body.getBoundingClientRect().height;
    window.parent.postMessage({ notionBackendHeight }, "*");
  };
  new ResizeObserver(tell).observe(document.body);
}
