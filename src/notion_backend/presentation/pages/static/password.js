// The link in the mail carries its token behind "#", which a browser never sends, so that no log
// of any server on the way holds it. Here it moves into the form and out of the address bar.
"use strict";

const token = new URLSearchParams(window.location.hash.slice(1)).get("token");
const field = document.getElementById("token");

if (token && field) {
  field.value = token;
  document.getElementById("token-row").hidden = true;
  window.history.replaceState(null, "", window.location.pathname);
  document.getElementById("password").focus();
}
