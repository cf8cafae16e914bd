// Proves work for the form: begins when somebody begins to fill it in, and lets Send wait for it. A
// form without a proof is taken too, only looked at more closely: so nothing here may keep it back.
"use strict";

{
  const LONGEST_MS = 20000;
  let work = null;

  const field = () => document.getElementById("proof");

  document.addEventListener("focusin", (event) => {
    if (event.target.closest("form.lead")) begin();
  });

  document.addEventListener(
    "submit",
    (event) => {
      const form = event.target.closest("form.lead");
      if (!form || !field() || field().value || field().dataset.tried) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      const button = form.querySelector("[type=submit]");
      button.setAttribute("aria-busy", "true");
      begin().then(() => {
        button.removeAttribute("aria-busy");
        if (form.requestSubmit) form.requestSubmit();
        else button.click();
      });
    },
    true,
  );

  // One at a time; a form that came back with a mistake brings a challenge of its own.
  function begin() {
    const asked = field();
    if (!asked || asked.value || asked.dataset.tried) return Promise.resolve();
    if (work?.asked === asked) return work.done;
    const done = solve(asked).then((proof) => {
      asked.value = proof;
      asked.dataset.tried = "yes";
    });
    work = { asked, done };
    return done;
  }

  // The proof as ALTCHA writes it; empty where the browser cannot make one.
  function solve(asked) {
    return new Promise((resolve) => {
      let worker;
      let challenge;
      const end = (number) => {
        worker?.terminate();
        if (!Number.isInteger(number)) return resolve("");
        const { algorithm, challenge: hash, salt, signature } = challenge;
        return resolve(btoa(JSON.stringify({ algorithm, challenge: hash, number, salt, signature })));
      };
      setTimeout(() => end(null), LONGEST_MS);
      try {
        challenge = JSON.parse(asked.dataset.challenge);
        worker = new Worker(asked.dataset.worker);
        worker.onmessage = ({ data }) => end(data);
        worker.onerror = () => end(null);
        worker.postMessage(challenge);
      } catch {
        end(null);
      }
    });
  }
}
