// Shows a résumé in a frame that has no rights: what is in the file, whatever it does, sees neither
// this page nor the session. The frame may fetch nothing either; it is handed the file from here.
"use strict";

{
  const LONGEST_MS = 30000;
  const button = document.getElementById("show-preview");
  const told = document.getElementById("preview-told");
  const frame = document.getElementById("preview");

  if (button) {
    button.hidden = false;
    button.addEventListener("click", show, { once: true });
  }

  async function show() {
    button.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(frame.dataset.file);
      // Whoever is signed out is led to the page where one signs in.
      if (!answer.ok || answer.redirected) throw new Error(answer.statusText);
      const file = await answer.arrayBuffer();
      const ready = new Promise((resolve) => listen(resolve));
      frame.src = frame.dataset.src;
      frame.hidden = false;
      await Promise.race([ready, tooLong()]);
      frame.contentWindow.postMessage({ file, page: frame.dataset.page }, "*", [file]);
    } catch {
      fail();
    }
  }

  function listen(resolve) {
    window.addEventListener("message", (event) => {
      if (event.source !== frame.contentWindow) return;
      if (event.data === "ready") resolve();
      else if (event.data === "failed") fail();
      else if (event.data.shown) finish(event.data);
    });
  }

  function tooLong() {
    return new Promise((_, reject) => {
      setTimeout(() => reject(new Error("no frame")), LONGEST_MS);
    });
  }

  function finish({ shown, count }) {
    if (shown < count) {
      say(frame.dataset.rest.replace("{shown}", shown).replace("{count}", count));
    }
    leaveButton(frame);
  }

  function fail() {
    frame.hidden = true;
    say(frame.dataset.failed);
    leaveButton(told);
  }

  function say(sentence) {
    told.textContent = sentence;
  }

  // Whoever has gone on to something else meanwhile is left there.
  function leaveButton(next) {
    const isThere = [button, document.body].includes(document.activeElement);
    button.hidden = true;
    if (isThere) next.focus();
  }
}
