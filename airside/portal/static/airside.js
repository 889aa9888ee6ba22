/* Enhancements of every page: copy buttons, times in the reader's time zone, live parts. Pages work without it. */
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

  /* Time inputs use the same time zone as the times shown: UTC without scripts, else the reader's. Submitted values
     are UTC. */
  const local = (then) => new Date(then - then.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);

  function zoneInputs(root) {
    for (const input of root.querySelectorAll("input[data-utc]:not([data-zoned])")) {
      input.dataset.zoned = "";
      const then = new Date(`${input.value}Z`);
      if (!Number.isNaN(then.getTime())) input.value = local(then);
    }
    const name = Intl.DateTimeFormat(undefined, { timeZoneName: "short" }).formatToParts().find((part) => part.type === "timeZoneName");
    if (name) for (const zone of root.querySelectorAll("[data-zone]")) zone.textContent = name.value;
  }

  document.addEventListener("formdata", (event) => {
    for (const input of event.target.querySelectorAll("input[data-zoned]")) {
      const then = new Date(input.value);
      if (!Number.isNaN(then.getTime())) event.formData.set(input.name, then.toISOString());
    }
  });

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
    zoneInputs(root);
    showCopyButtons(root);
  }

  /* Live parts: an element with data-live="topic …" receives the event "live" when a topic has changed, and htmx
     fetches it again. A hidden tab closes its stream, and catches up with `since` when it is shown. */
  function followLive() {
    const path = document.body.dataset.liveStream;
    let stream = null, since = document.body.dataset.liveSince, wait = 2000, waiting = 0, missing = 0;
    const busy = new WeakSet(), again = new WeakSet();

    const parts = () => [...document.querySelectorAll("[data-live]")];
    const topicsOf = (part) => part.dataset.live.split(" ").filter(Boolean);

    function refresh(part) {
      if (busy.has(part)) return void again.add(part);
      busy.add(part);
      part.dispatchEvent(new Event("live"));
      setTimeout(() => { // rate limit: one refresh of a part in this time
        busy.delete(part);
        if (again.delete(part) && part.isConnected) refresh(part);
      }, 250);
    }

    function open() {
      clearTimeout(waiting);
      const topics = [...new Set(parts().flatMap(topicsOf))];
      if (stream || document.hidden || !topics.length) return;
      stream = new EventSource(`${path}?${new URLSearchParams({ topics: topics.join(" "), since })}`);
      stream.addEventListener("open", () => {
        wait = 2000;
        clearTimeout(missing);
        missing = 0;
        airside.showBanner("");
      });
      stream.addEventListener("message", (event) => {
        since = event.lastEventId;
        const changed = new Set(event.data.split(" "));
        for (const part of parts()) if (topicsOf(part).some((topic) => changed.has(topic))) refresh(part);
      });
      stream.addEventListener("over", () => {
        close();
        airside.explainEnd();
      });
      stream.addEventListener("error", () => {
        missing ||= setTimeout(() => airside.showBanner("Not connected: live updates are paused."), 5000);
        if (stream?.readyState !== EventSource.CLOSED) return; // the browser reconnects
        stream = null;
        waiting = setTimeout(open, wait);
        wait = Math.min(wait * 2, 300_000);
      });
    }

    function close() {
      clearTimeout(missing);
      missing = 0;
      stream?.close();
      stream = null;
    }

    if (!path || !window.EventSource) return;
    document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
    addEventListener("pagehide", close);
    addEventListener("pageshow", open);
    document.addEventListener("airside:signed-in", open);
    open();
  }
  // On a phone the tabs are wider than the screen: scroll the current one into view.
  document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

  enhance(document);
  followLive();
  document.addEventListener("htmx:after:swap", () => enhance(document));
  setInterval(() => showTimes(document), 30_000);
})();
