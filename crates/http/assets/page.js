// Adds to pages that already work without it. Only properties are set, no markup is built: Trusted Types stays on.
for (const button of document.querySelectorAll("button[data-reveal]")) {
  const input = document.getElementById(button.dataset.reveal);
  if (!input) continue;
  const verb = button.querySelector("[data-verb]");
  const show = (visible) => {
    input.type = visible ? "text" : "password";
    verb.textContent = visible ? "Hide" : "Show";
  };
  button.hidden = false;
  button.addEventListener("click", () => show(input.type === "password"));
  // A browser remembers what was typed into text fields; what it submits is a password again.
  input.form?.addEventListener("submit", () => show(false));
}

const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
for (const time of document.querySelectorAll("time[datetime]")) {
  const date = new Date(time.dateTime);
  if (!Number.isNaN(date.getTime())) time.title = format.format(date);
}
