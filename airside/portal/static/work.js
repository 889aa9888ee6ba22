/* Enhancements of the project pages: menus as popovers, keyboard shortcuts, drag and drop on the board, the mention
   picker. Every form works without this script. */
(() => {
  "use strict";

  const menu = () => document.getElementById("menu");
  let opener = null; // href of the control that opened the menu
  const findOpener = () => opener && document.querySelector(`a.prop[href="${CSS.escape(opener)}"]`);

  /* -- the menu (one at a time) -- */

  function place(box, at) {
    const gap = 4, edge = 8;
    const left = Math.min(at.left, window.innerWidth - box.offsetWidth - edge);
    const below = at.bottom + gap;
    const fits = below + box.offsetHeight <= window.innerHeight - edge;
    const top = fits ? below : Math.max(edge, at.top - box.offsetHeight - gap);
    box.style.left = `${Math.max(edge, left)}px`;
    box.style.top = `${top}px`;
  }

  function openMenu() {
    const box = menu();
    const control = findOpener();
    if (!box || !control || !box.firstElementChild) return;
    if (!box.matches(":popover-open")) box.showPopover();
    place(box, control.getBoundingClientRect());
    const first = box.querySelector("[data-finds], [autofocus], [aria-current], input:checked, .menu-choice, input:not([type=hidden])");
    (first?.matches("label") ? first.querySelector("input") : first)?.focus();
  }

  function closeMenu() {
    const box = menu();
    if (!box?.matches(":popover-open")) return;
    box.hidePopover();
    findOpener()?.focus();
  }

  document.addEventListener("click", (event) => {
    const control = event.target.closest("a.prop");
    if (!control || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    opener = menu().dataset.opener = control.getAttribute("href");
    htmx.ajax("GET", opener, { source: menu(), target: "#menu", swap: "innerHTML" });
  });

  document.addEventListener("htmx:after:swap", (event) => {
    const ctx = event.detail?.ctx, source = ctx?.sourceElement;
    if (ctx?.hx?.retarget === "#menu" || (source === menu() && ctx.request.method === "GET")) openMenu();
    else if (source?.closest?.("#menu") || !source?.isConnected) closeMenu();
    if (source?.matches?.("[data-resets]") && event.detail.ctx.response?.status < 400) {
      for (const form of document.querySelectorAll("form[data-resets]")) {
        if (form.action === source.action) form.reset();
      }
      source.closest("details")?.removeAttribute("open");
    }
  });

  /* -- earlier comments are inserted above without moving the scroll position -- */

  document.addEventListener("htmx:before:swap", (event) => {
    if (event.detail?.ctx?.sourceElement?.id !== "earlier") return;
    const id = document.querySelector("#thread > .comment")?.id;
    const top = () => document.getElementById(id)?.getBoundingClientRect().top;
    const before = top();
    document.addEventListener("htmx:after:swap", () => {
      if (before !== undefined) window.scrollBy({ top: (top() ?? before) - before, behavior: "instant" });
    }, { once: true });
  });

  /* -- after a failed request, which requests.js reports, the menu closes and a dropped card moves back -- */

  for (const name of ["htmx:response:error", "htmx:error"]) {
    document.addEventListener(name, (event) => {
      const { ctx } = event.detail;
      if (!ctx || ctx.response?.status === 422) return;
      if (ctx.sourceElement.closest("#menu")) closeMenu();
      if (ctx.sourceElement.id === "move") undoMove?.();
    });
  }

  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-finds]")) return;
    const sought = event.target.value.trim().toLowerCase();
    for (const choice of event.target.form.querySelectorAll(".menu-choices > li")) {
      choice.hidden = !choice.textContent.toLowerCase().includes(sought);
    }
  });

  function moveWithin(list, from, step) {
    const shown = [...list].filter((one) => one.offsetParent !== null);
    const at = shown.indexOf(from);
    shown[Math.min(shown.length - 1, Math.max(0, at + step))]?.focus();
  }

  /* -- keyboard shortcuts -- */

  const KEYS = { s: "state", p: "priority", a: "assignees", l: "labels", d: "target_date" };
  const isTyping = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;

  document.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 }[event.key];
    const part = event.target.closest?.("#menu");
    if (part && step && event.key.startsWith("Arrow")) {
      event.preventDefault();
      moveWithin(part.querySelectorAll("button.menu-choice, .menu-choice input, [data-finds]"), event.target, step);
      return;
    }
    if (part || isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    const rows = document.querySelectorAll(".item-row .item-name, .item-card .item-name");
    const row = event.target.closest(".item-row, .item-card");
    if (step && rows.length && (row || !event.key.startsWith("Arrow"))) {
      event.preventDefault();
      moveWithin(rows, row?.querySelector(".item-name"), step);
    } else if (event.key === "c" && document.querySelector(".quick input[name=name]")) {
      event.preventDefault();
      ((row?.closest(".group, .column") ?? document).querySelector(".quick input[name=name]"))?.focus();
    } else if (event.key === "/" && document.getElementById("filter-q")) {
      event.preventDefault();
      document.getElementById("filter-q").focus();
    } else if (KEYS[event.key]) {
      const scope = row ?? document.querySelector(".item-side");
      const control = scope?.querySelector(`a.prop[href$="/set/${KEYS[event.key]}/"]`);
      if (control) {
        event.preventDefault();
        control.click();
      }
    }
  });

  /* -- the board -- */

  let dragged = null;
  let undoMove = null; // moves the last dropped card back

  document.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.("[data-set-state]") ?? null;
    if (!dragged) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.id);
    dragged.classList.add("is-dragged");
  });

  document.addEventListener("dragend", () => {
    dragged?.classList.remove("is-dragged");
    document.querySelector(".column.is-over")?.classList.remove("is-over");
    dragged = null;
  });

  document.addEventListener("dragover", (event) => {
    const column = dragged && event.target.closest?.("[data-state]");
    const over = document.querySelector(".column.is-over");
    if (over && over !== column) over.classList.remove("is-over");
    if (!column) return;
    event.preventDefault();
    column.classList.add("is-over");
  });

  document.addEventListener("drop", (event) => {
    const column = dragged && event.target.closest?.("[data-state]");
    if (!column) return;
    event.preventDefault();
    if (column.contains(dragged)) return;
    const form = document.getElementById("move"), card = dragged, before = card.nextSibling, list = card.parentNode;
    undoMove = () => list.isConnected && list.insertBefore(card, before?.parentNode === list ? before : null);
    column.querySelector(".cards").prepend(dragged); // optimistic; the response renders it again
    const values = Object.fromEntries(new FormData(form));
    htmx.ajax("POST", dragged.dataset.setState, {
      source: form, target: "#work", select: "#work", swap: "outerMorph",
      values: { ...values, value: column.dataset.state },
    });
  });

  /* -- mentions: @ and some letters open the picker -- */

  const SOUGHT = /(?:^|[\s(])@([\p{L}\p{N}._-]{0,40})$/u;
  let offered = null; // the text field whose picker is open
  let latest = 0;

  const listOf = (area) => area.closest(".writing").querySelector(".mentions");

  function closePicker() {
    latest += 1; // the response to a lookup under way opens it no more
    if (!offered) return;
    listOf(offered)?.remove();
    offered.removeAttribute("aria-activedescendant");
    offered.removeAttribute("aria-controls");
    offered = null;
  }

  async function offer(area) {
    const source = area.closest(".writing")?.dataset.mentionable;
    const sought = SOUGHT.exec(area.value.slice(0, area.selectionStart));
    if (!source || !sought) return closePicker();
    const number = ++latest;
    const headers = { "HX-Request": "true", "HX-Current-URL": location.href };
    const answer = await fetch(`${source}?q=${encodeURIComponent(sought[1])}`, { headers }).catch(() => null);
    if (number !== latest) return;
    if (!answer?.ok) return reportFailure(area, answer);
    const text = await answer.text();
    if (number !== latest) return;
    closePicker();
    const box = document.createElement("div");
    box.className = "mentions";
    box.replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
    if (!box.querySelector("[data-mention]")) return;
    area.closest(".writing").append(box);
    offered = area;
    area.setAttribute("aria-controls", "mention-list");
    choose(box.querySelector("[data-mention]"));
  }

  async function reportFailure(area, answer) {
    closePicker();
    const page = new DOMParser().parseFromString((await answer?.text()) ?? "", "text/html");
    const href = page.querySelector(`main a[href^="${document.body.dataset.signIn}"]`)?.getAttribute("href");
    const status = answer?.status ?? airside.statusOfFailure();
    const sentence = "Mentions can’t be looked up now. What you typed is kept.";
    airside.report(area, { status, sentence, href });
  }

  function choose(option) {
    for (const one of option.parentElement.children) one.setAttribute("aria-selected", String(one === option));
    offered.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  function mention(option) {
    const area = offered;
    const before = area.value.slice(0, area.selectionStart).replace(/@[\p{L}\p{N}._-]*$/u, `@${option.dataset.name} `);
    const after = area.value.slice(area.selectionStart);
    area.value = before + after;
    area.setSelectionRange(before.length, before.length);
    const picked = document.createElement("input");
    Object.assign(picked, { type: "hidden", name: "mentioned", value: option.dataset.mention });
    area.closest(".writing").append(picked);
    closePicker();
    area.focus();
  }

  document.addEventListener("input", (event) => {
    if (event.target.matches(".writing textarea")) offer(event.target);
    if (event.target.matches("#name") && document.getElementById("identifier")) suggest(event.target);
    if (event.target.matches("#identifier")) event.target.dataset.typed = event.target.value;
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches(".writing textarea")) {
      event.preventDefault();
      event.target.form.requestSubmit();
      return;
    }
    if (!offered || event.target !== offered) return;
    const options = [...listOf(offered).querySelectorAll("[data-mention]")];
    const at = options.findIndex((one) => one.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      choose(options[(at + (event.key === "ArrowDown" ? 1 : options.length - 1)) % options.length]);
    } else if (event.key === "Enter" || event.key === "Tab") {
      event.preventDefault();
      mention(options[at]);
    } else if (event.key === "Escape") {
      event.preventDefault();
      closePicker();
    }
  });

  document.addEventListener("pointerdown", (event) => {
    const option = event.target.closest?.("[data-mention]");
    if (option && offered) {
      event.preventDefault();
      mention(option);
    } else closePicker();
  });

  /* -- a new project's identifier is suggested from its name until the person types one -- */

  function suggest(name) {
    const identifier = document.getElementById("identifier");
    if (identifier.dataset.typed) return;
    const words = name.value.normalize("NFKD").match(/[A-Za-z0-9]+/g) ?? [];
    const letters = words.length > 2 ? words.map((word) => word[0]).join("") : words.join("");
    identifier.value = letters.slice(0, 5).toUpperCase();
  }
})();
