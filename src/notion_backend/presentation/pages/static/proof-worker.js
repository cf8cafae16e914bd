// Looks for the number whose hash is the challenge, beside the page, so that typing is not disturbed.
"use strict";

const TRIES_AT_ONCE = 500;

onmessage = async ({ data }) => postMessage(await look(data).catch(() => null));

async function look({ salt, challenge, maxNumber }) {
  const encoder = new TextEncoder();
  const hash = async (number) => {
    const bytes = await crypto.subtle.digest("SHA-256", encoder.encode(salt + number));
    return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  };
  for (let first = 0; first <= maxNumber; first += TRIES_AT_ONCE) {
    const numbers = Array.from({ length: TRIES_AT_ONCE }, (_, index) => first + index);
    const hashes = await Promise.all(numbers.map(hash));
    const found = hashes.indexOf(challenge);
    if (found >= 0) return first + found;
  }
  return null;
}
