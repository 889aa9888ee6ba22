/* Feedback on requests: a form is submitted once however often one clicks, progress and errors are shown beside the
   control that was used, and an expired session gets a sign-in link. Every form works without this script. */
(() => {
  "use strict";

  const SHOWN_AFTER = 150; // ms; an indicator for faster requests would only flicker
  const RELEASED_AFTER = 15_000; // ms after which a form without a response, as when loading was stopped, can be submitted again
  const KEPT = "What you typed is still here.";
  const SENTENCES = {
    offline: `You are offline. ${KEPT} Try again once you are connected.`,
    unreachable: `Airside can’t be reached. ${KEPT} Try again in a moment.`,
    timeout: "No response. Check whether it was done before you try again.",
    401: `You are signed out. ${KEPT} Sign in in a new tab, come back, and try again.`,
    403: "You can’t do that here.",
    404: "Not found. It may have been deleted.",
    409: "Somebody else changed this. Reload the page and try again.",
    413: "That is too large. Send less at once.",
    422: "Some fields need correction.",
    429: "Too many requests. Wait a moment, then try again.",
    503: `Airside is temporarily unavailable. ${KEPT} Try again in a moment.`,
  };
  const UNKNOWN = "The request failed. Reload the page and try again.";
  const OVERRIDDEN = ["401", "503"]; // for these statuses the sentence above says more than the response's

  /* -- errors, beside the control that was used -- */

  let trouble = null; // {note, control}

  function place() {
    if (!trouble?.note.isConnected) return;
    const { note, control } = trouble, gap = 6, edge = 8;
    const at = control.getBoundingClientRect();
    const left = Math.min(at.left, document.documentElement.clientWidth - note.offsetWidth - edge);
    const below = at.bottom + gap + note.offsetHeight <= window.innerHeight - edge;
    const form = control.closest("form")?.getBoundingClientRect(); // what is typed in a small one stays in sight
    const top = form && form.height < 160 ? form.top : at.top;
    note.style.left = `${Math.max(edge, left)}px`;
    note.style.top = `${Math.max(edge, below ? at.bottom + gap : top - gap - note.offsetHeight)}px`;
  }

  function clear() {
    trouble?.note.remove();
    trouble?.control.removeAttribute("aria-describedby");
    trouble = null;
  }

  /* After the control or its form, so that it scrolls with them and follows them in the tab order. */
  function attach() {
    const { note, control } = trouble;
    const isSeen = control.isConnected && control.getClientRects().length > 0;
    note.classList.toggle("is-beside", isSeen);
    if (isSeen) (control.closest("form") ?? control).after(note);
    else document.querySelector("main").prepend(note);
    if (isSeen) place();
    else note.scrollIntoView({ block: "nearest" });
  }

  function make(tag, properties, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }

  function report(control, { status, sentence = "", href = "" }) {
    const words = (!OVERRIDDEN.includes(String(status)) && sentence) || SENTENCES[status] || UNKNOWN;
    clear();
    const note = make("div", { id: "trouble", className: "trouble alert alert-bad", role: "alert" }, make("p", { textContent: words }));
    if (String(status) === "401") {
      signedOut = true;
      note.append(make("p", {}, make("a", { className: "button button-small", href: href || document.body.dataset.signIn, target: "_blank", rel: "opener", textContent: "Sign in" })));
    }
    const close = make("button", { type: "button", className: "trouble-close", textContent: "×" });
    close.setAttribute("aria-label", "Dismiss");
    close.addEventListener("click", () => {
      const { control: used } = trouble;
      clear();
      used.focus?.();
    });
    note.append(close);
    trouble = { note, control };
    attach();
    if (control.getAttribute("aria-describedby") === null) control.setAttribute("aria-describedby", "trouble");
    if (document.activeElement === document.body) control.focus?.();
  }

  addEventListener("scroll", place, { capture: true, passive: true });
  addEventListener("resize", place);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && trouble) clear();
  });
  document.addEventListener("htmx:after:swap", () => { // the swap may have removed the note
    if (trouble && !trouble.note.isConnected) attach();
  });

  /* -- after a sign-in in another tab, forms get the new session's CSRF tokens, so that what is typed here can be sent -- */

  const kept = document.querySelector("form[data-kept]"); // sent again after a sign-in
  let signedOut = kept !== null;
  const person = (root) => root.querySelector(".whoami .muted")?.textContent;

  async function renewTokens() {
    if (!signedOut || document.hidden) return;
    const answer = await fetch(kept?.dataset.kept ?? location.href, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (!answer?.ok || !signedOut) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const token = page.querySelector("input[name=csrf_token]")?.value;
    if (!token || (!kept && person(page) !== person(document))) return;
    for (const input of document.querySelectorAll("input[name=csrf_token]")) input.value = token;
    signedOut = false;
    const control = trouble?.control;
    clear();
    if (kept) showKept(person(page));
    showBanner("");
    document.dispatchEvent(new Event("airside:signed-in"));
    announce("You are signed in again.");
    control?.focus?.();
  }

  function showKept(name) {
    document.querySelector("h1").textContent = "You are signed in again";
    document.querySelector("[data-until-signed-in]").hidden = true;
    const part = kept.querySelector("[data-once-signed-in]");
    part.querySelector("[data-person]").textContent = name;
    part.hidden = false;
    for (const area of kept.querySelectorAll("textarea")) area.readOnly = false;
    part.querySelector("button").focus();
  }

  document.addEventListener("visibilitychange", renewTokens);
  addEventListener("focus", renewTokens);

  /* -- a banner for the whole page while it receives no live changes -- */

  function showBanner(words, href = "", label = "Reload the page", isNewTab = false) {
    document.getElementById("standing")?.remove();
    if (!words) return;
    const note = make("p", { id: "standing", className: "standing alert alert-warn", role: "status" }, words);
    if (href) note.append(" ", make("a", { href, textContent: label, ...(isNewTab ? { target: "_blank", rel: "opener" } : {}) }));
    document.querySelector("main").append(note);
  }

  /* -- work in progress -- */

  function announce(words) {
    const announcer = document.getElementById("announcer");
    if (announcer) announcer.textContent = words;
  }

  /* Marks the control as busy after SHOWN_AFTER; returns the function that ends that. */
  function begin(control) {
    const waiting = setTimeout(() => {
      control.setAttribute("aria-busy", "true");
      announce("Working…");
    }, SHOWN_AFTER);
    return () => {
      clearTimeout(waiting);
      if (!control.hasAttribute("aria-busy")) return;
      control.removeAttribute("aria-busy");
      announce("");
    };
  }

  /* -- forms are submitted once -- */

  const sent = new Map(); // form being submitted → function that ends its progress
  const isPost = (form) => form.getAttribute("method")?.toLowerCase() === "post";
  const buttonOf = (form) => form.querySelector("button:not([type=button])") ?? form;

  function release(form) {
    sent.get(form)?.();
    sent.delete(form);
  }

  document.addEventListener("submit", (event) => {
    const form = event.target, isOffline = !navigator.onLine && isPost(form);
    if (!sent.has(form) && !isOffline) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (isOffline && !sent.has(form)) report(event.submitter ?? buttonOf(form), { status: "offline" });
  }, true);

  addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || !isPost(form)) return; // htmx submits it, or it is a GET form
    clear();
    const end = begin(event.submitter ?? buttonOf(form));
    const forgotten = setTimeout(() => release(form), RELEASED_AFTER);
    sent.set(form, () => {
      clearTimeout(forgotten);
      end();
    });
  });

  addEventListener("pageshow", () => { // restored from the back/forward cache
    for (const form of [...sent.keys()]) release(form);
  });

  /* -- the same for htmx requests -- */

  const ends = new WeakMap(); // htmx's request context → function that ends its progress

  /* Requests that the page sends by itself, without a user's action. */
  const isAutomatic = (ctx) => ["live", "load"].includes(ctx.sourceEvent?.type);

  function controlOf(ctx) {
    const source = ctx.sourceElement;
    if (source.id === "move") return document.querySelector(`[data-set-state="${CSS.escape(ctx.request.action)}"]`) ?? source;
    const menu = source.closest("#menu");
    if (menu) return document.querySelector(`a.prop[href="${CSS.escape(menu.dataset.opener ?? "")}"]`) ?? source;
    const used = ctx.request.submitter ?? ctx.sourceEvent?.target;
    return used instanceof Element && used !== source && source.contains(used) ? used : source.matches("form") ? buttonOf(source) : source;
  }

  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
    if (isAutomatic(ctx)) return;
    clear();
    const form = ctx.sourceElement, end = begin(ctx.request.submitter ?? controlOf(ctx));
    const isHeld = ctx.request.method === "POST" && form.matches("form") && !sent.has(form);
    if (isHeld) sent.set(form, end);
    ends.set(ctx, () => (isHeld ? release(form) : end()));
  });

  document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => ends.get(ctx)?.());

  const isShown = (status) => status === 422 && !htmx.config.noSwap.includes("4xx"); // the response is the form with its errors

  document.addEventListener("htmx:response:error", ({ detail: { ctx } }) => {
    const { status } = ctx.response;
    if (isAutomatic(ctx) || isShown(status)) return;
    const page = new DOMParser().parseFromString(ctx.text ?? "", "text/html");
    report(controlOf(ctx), {
      status,
      sentence: page.querySelector("main p.muted")?.textContent.trim(),
      href: page.querySelector(`main a[href^="${document.body.dataset.signIn}"]`)?.getAttribute("href"),
    });
  });

  document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
    if (!ctx || isAutomatic(ctx)) return;
    const isLate = ctx.request.signal.reason === "timeout";
    report(controlOf(ctx), { status: isLate ? "timeout" : statusOfFailure() });
  });

  const statusOfFailure = () => (navigator.onLine ? "unreachable" : "offline");

  /* The page receives no live changes any more: reloading loses what is typed where the session has ended. */
  async function explainEnd() {
    const answer = await fetch(location.href, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (answer?.status !== 401) return showBanner("Live updates have stopped.", location.href);
    signedOut = true;
    showBanner(`You are signed out. ${KEPT}`, document.body.dataset.signIn, "Sign in in a new tab", true);
  }

  window.airside = { report, showBanner, explainEnd, statusOfFailure };
})();
