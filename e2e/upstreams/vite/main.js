import { message } from "./message.js";

const place = document.querySelector("#message");
place.textContent = message;
// Lives as long as the document: a full reload would change it, a hot update does not.
globalThis.loadedAt ??= performance.timeOrigin;

import.meta.hot?.accept("./message.js", (updated) => {
  place.textContent = updated.message;
});
