// Sends the public form without leaving the page, so that it shows how far the upload has come and
// a mistake or a lost connection costs nobody the chosen file. The server judges as it does without
// scripts: what it answers is what is shown.
"use strict";

{
  const content = document.getElementById("content");
  const PATIENCE_MS = 60000;
  let request = null;
  let patience = 0;
  let canSend = true;

  const part = (id) => document.getElementById(id);
  const formIn = (root) => root?.querySelector("form.lead");

  // A page of the operator's own may lack what is needed here; then the browser sends the form.
  if (formIn(content) && part("resume") && part("sending") && part("not-sent")) {
    content.addEventListener("submit", submit);
    content.addEventListener("change", (event) => {
      if (event.target.id === "resume") checkFile();
    });
    document.addEventListener("dragover", dragOver);
    document.addEventListener("dragleave", () => mark(false));
    document.addEventListener("drop", drop);
    // Back from the thanks: sent again as it is, the form has the same key and is the same lead.
    window.addEventListener("pageshow", (event) => {
      if (event.persisted) rest();
    });
    prepare();
  }

  function submit(event) {
    if (event.defaultPrevented) return;
    event.preventDefault();
    if (!canSend) return;
    const form = event.target;
    const before = request;
    request = null;
    before?.abort();
    const sent = new XMLHttpRequest();
    request = sent;
    sent.upload.addEventListener("progress", showShare);
    sent.upload.addEventListener("load", () => tell(part("sending").dataset.waiting));
    sent.addEventListener("load", receive);
    for (const end of ["error", "abort"]) {
      sent.addEventListener(end, () => {
        if (sent === request) fail(part("not-sent").dataset.failed);
      });
    }
    sent.open("POST", form.action);
    sent.responseType = "document";
    sent.send(new FormData(form));
    waitAgain();
    part("sending").hidden = false;
    part("sending").querySelector("progress").value = 0;
    tell(part("sending").dataset.begun);
  }

  function receive() {
    const { status, response, responseURL } = request;
    clearTimeout(patience);
    if (status < 400) {
      // The button stays as it is: what was sent is not sent again while the next page comes.
      window.location.assign(responseURL);
      return;
    }
    if (response && formIn(response)) {
      rest();
      showAnswer(response);
      return;
    }
    const seconds = request.getResponseHeader("Retry-After");
    const said = response?.querySelectorAll("main h1, main p:not(.quiet)") ?? [];
    const sentences = [...said].map((each) => each.textContent);
    if (seconds) sentences.push(fill(part("not-sent").dataset.later, { seconds }));
    fail(sentences.join(" · ") || part("not-sent").dataset.failed);
  }

  function showAnswer(answer) {
    const next = document.importNode(answer.getElementById("content"), true);
    let hasFile = false;
    for (const field of formIn(content).querySelectorAll("input:not([type=hidden])")) {
      const twin = [...next.querySelectorAll("input")].find((each) => each.name === field.name);
      if (twin && field.type === "file") {
        twin.files = field.files;
        hasFile = field.files.length > 0;
      } else if (twin) {
        twin.value = field.value;
      }
    }
    for (const sentence of hasFile ? next.querySelectorAll("[data-file-kept]") : []) {
      sentence.textContent = sentence.dataset.fileKept;
    }
    // Since the form was shown first: mending a mistake takes no two seconds.
    const stamp = next.querySelector("[name=form_stamp]");
    if (stamp) stamp.value = formIn(content).querySelector("[name=form_stamp]")?.value ?? stamp.value;
    // The focus is set below; the browser would complain of a second who asks for it.
    next.querySelector("[autofocus]")?.removeAttribute("autofocus");
    document.title = answer.title;
    content.replaceChildren(...next.childNodes);
    prepare();
    (content.querySelector(".mistakes[tabindex]") ?? content).focus();
  }

  function fail(sentence) {
    rest();
    say(sentence);
  }

  function say(sentence) {
    part("not-sent").hidden = false;
    part("not-sent").textContent = sentence;
  }

  // The connection may have died in silence, as when a phone changes its network, or be slow: who
  // knows better presses Send again.
  function waitAgain() {
    clearTimeout(patience);
    takeSending(false);
    patience = setTimeout(() => {
      takeSending(true);
      say(part("not-sent").dataset.slow);
    }, PATIENCE_MS);
  }

  // Whether pressing Send does anything.
  function takeSending(isTaken) {
    canSend = isTaken;
    part("not-sent").hidden = true;
    // Not `disabled`, which would take the focus away from who has just pressed it.
    const button = formIn(content).querySelector("[type=submit]");
    if (isTaken) button.removeAttribute("aria-disabled");
    else button.setAttribute("aria-disabled", "true");
  }

  function rest() {
    clearTimeout(patience);
    request = null;
    part("sending").hidden = true;
    takeSending(true);
  }

  // Said aloud at each quarter only; the bar moves with every event.
  function showShare(event) {
    waitAgain();
    if (!event.lengthComputable) return;
    const share = event.loaded / event.total;
    part("sending").querySelector("progress").value = share;
    const quarter = Math.floor(share * 4) / 4;
    if (quarter > 0 && quarter < 1) {
      const percent = new Intl.NumberFormat(document.documentElement.lang, { style: "percent" });
      tell(fill(part("sending").dataset.share, { share: percent.format(quarter) }));
    }
  }

  function tell(sentence) {
    const status = part("sending").querySelector("[role=status]");
    if (status.textContent !== sentence) status.textContent = sentence;
  }

  // What scripts add to a form that has just come from the server.
  function prepare() {
    const field = part("resume");
    const hint = small("drop-hint", field.dataset.drop);
    const note = small("", "");
    note.id = "resume-note";
    note.setAttribute("role", "status");
    field.parentElement.classList.add("drop");
    field.parentElement.append(hint, note);
    sayFile();
    const privacy = part("privacy");
    if (privacy && window.self !== window.top) privacy.target = "_blank";
  }

  function checkFile() {
    const field = part("resume");
    const mistake = mistakeIn(field.files[0], field.dataset);
    part("resume-mistake")?.remove();
    const message = small("mistake", "");
    if (mistake) {
      message.id = "resume-mistake";
      message.setAttribute("role", "alert");
      field.after(message);
      message.textContent = mistake;
      field.setAttribute("aria-invalid", "true");
    } else {
      field.removeAttribute("aria-invalid");
    }
    field.setAttribute("aria-describedby", `${mistake ? "resume-mistake " : ""}resume-hint`);
    sayFile();
  }

  function mistakeIn(file, { most, tooLarge, wrongType }) {
    if (!file) return "";
    const types = part("resume").accept.split(",");
    if (!types.includes(`.${typeOf(file)}`)) return wrongType;
    return file.size > Number(most) ? fill(tooLarge, { size: readable(file.size) }) : "";
  }

  function sayFile() {
    const field = part("resume");
    const file = field.files[0];
    const values = file && { type: typeOf(file).toUpperCase(), size: readable(file.size) };
    part("resume-note").textContent = file ? fill(field.dataset.chosen, values) : "";
  }

  function typeOf(file) {
    return file.name.slice(file.name.lastIndexOf(".") + 1).toLowerCase();
  }

  // Rounded up, so that a file over the limit never seems to have just the limit.
  function readable(bytes) {
    const [unit, name] = bytes >= 1 << 20 ? [1 << 20, "MiB"] : [1 << 10, "KiB"];
    return `${Math.ceil((bytes / unit) * 10) / 10} ${name}`;
  }

  // A file dropped beside the field would take the place of the page, and of all that was typed.
  function dragOver(event) {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    const isOver = part("resume").parentElement.contains(event.target);
    event.dataTransfer.dropEffect = isOver ? "copy" : "none";
    mark(isOver);
  }

  function drop(event) {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    mark(false);
    const field = part("resume");
    if (!field.parentElement.contains(event.target) || !event.dataTransfer.files.length) return;
    const one = new DataTransfer();
    one.items.add(event.dataTransfer.files[0]);
    field.files = one.files;
    checkFile();
  }

  function mark(isOver) {
    part("resume").parentElement.classList.toggle("over", isOver);
  }

  function small(name, text) {
    const element = document.createElement("small");
    element.className = name;
    element.textContent = text;
    return element;
  }

  function fill(sentence, values) {
    return sentence.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  }
}
