/* What pages gain when scripts run: copy buttons, and times in the reader's own zone. Nothing depends on it. */
(() => {
  "use strict";

  const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
  const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
  const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
  const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  const steps = [["second", 60], ["minute", 60], ["hour", 24], ["day", 7]];

  function since(then) {
    let amount = (then - Date.now()) / 1000;
    for (const [unit, size] of steps) {
      if (Math.abs(amount) < size) return relative.format(Math.round(amount), unit);
      amount /= size;
    }
    return day.format(then);
  }

  function showTimes(root) {
    for (const time of root.querySelectorAll("time[datetime]")) {
      const then = new Date(time.dateTime);
      if (Number.isNaN(then.getTime())) continue;
      time.title = exact.format(then);
      time.textContent = { day: () => day.format(then), exact: () => moment.format(then) }[time.dataset.shape]?.() ?? since(then);
    }
  }

  function showCopyButtons(root) {
    for (const button of root.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const [before, after] = button.querySelectorAll("[data-copy-face]");
    await navigator.clipboard.writeText(button.dataset.copy);
    document.getElementById("announcer").textContent = "Copied";
    button.classList.add("is-done");
    before.hidden = true;
    after.hidden = false;
    setTimeout(() => {
      document.getElementById("announcer").textContent = "";
      button.classList.remove("is-done");
      before.hidden = false;
      after.hidden = true;
    }, 1600);
  });

  function enhance(root) {
    showTimes(root);
    showCopyButtons(root);
  }

  enhance(document);
  document.addEventListener("htmx:after:swap", () => enhance(document));
  setInterval(() => showTimes(document), 30_000);
})();
