// Draws the pages of a PDF that the page around hands over. Runs in a sandbox of an origin that is
// nobody's, without network: PDF.js is code that reads what strangers send.
import { getDocument, GlobalWorkerOptions } from "./vendor/pdfjs/pdf.min.mjs";
import * as worker from "./vendor/pdfjs/pdf.worker.min.mjs";

const MOST_PAGES = 20;
// In this very frame: an origin that is nobody's cannot start a worker from a file.
globalThis.pdfjsWorker = worker;
GlobalWorkerOptions.workerSrc = "none";

const tell = (what) => window.parent.postMessage(what, "*");

window.addEventListener(
  "message",
  async ({ data: { file, page } }) => {
    try {
      tell(await draw(file, page));
    } catch {
      tell("failed");
    }
  },
  { once: true },
);
tell("ready");

async function draw(data, label) {
  const pdf = await getDocument({ data, isEvalSupported: false, enableXfa: false }).promise;
  const count = Math.min(pdf.numPages, MOST_PAGES);
  if (count === 0) throw new Error("no pages");
  for (let number = 1; number <= count; number += 1) {
    const page = await pdf.getPage(number);
    const width = Math.max(document.body.clientWidth, 300);
    const sharpness = Math.min(window.devicePixelRatio || 1, 2);
    const { width: own } = page.getViewport({ scale: 1 });
    const viewport = page.getViewport({ scale: (width / own) * sharpness });
    const canvas = document.createElement("canvas");
    canvas.width = viewport.width;
    canvas.height = viewport.height;
    canvas.setAttribute("role", "img");
    const name = label.replace("{n}", number).replace("{count}", pdf.numPages);
    canvas.setAttribute("aria-label", name);
    document.getElementById("pages").append(canvas);
    // For the screen it would wait for frames, which a browser does not give to what is out of view.
    const canvasContext = canvas.getContext("2d");
    await page.render({ canvasContext, viewport, intent: "print" }).promise;
  }
  return { shown: count, count: pdf.numPages };
}
