// Keeps an open page true: hears that something changed, fetches this page anew and puts its <main>
// in place, leaving scroll, focus and half-written text as they were. Without this script the page
// works the same, only it must be reloaded.
"use strict";

(() => {
  const stream = document.body.dataset.events;
  if (!stream || !window.EventSource || !window.fetch || !window.DOMParser) return;

  // milliseconds: an alarm at once, a burst of readings in one go (long lists say how patient they
  // are), ages of values once a minute, and never more than one look a second
  const calm = Number(document.body.dataset.calmMs) || 1500;
  const WAIT_MS = { alert: 100, told: 100, look: 300, reading: calm };
  const EVERY_MS = 60000;
  const GAP_MS = 1000;
  const AGAIN_MS = 4000;
  const offline = document.getElementById("offline");
  const announce = document.getElementById("announce");
  let timer = 0;
  let dueAt = Infinity;
  let lookedAt = 0;
  let fetching = false;
  let again = false;

  function soon(wait) {
    const now = Date.now();
    const at = Math.max(now + wait, lookedAt + GAP_MS);
    if (at >= dueAt) return;
    dueAt = at;
    clearTimeout(timer);
    timer = setTimeout(refresh, at - now);
  }

  async function refresh() {
    dueAt = Infinity;
    if (fetching) {
      again = true;
      return;
    }
    fetching = true;
    lookedAt = Date.now();
    try {
      const answer = await fetch(location.href, { credentials: "same-origin", cache: "no-store" });
      if (answer.redirected || answer.status === 401 || answer.status === 404) {
        location.reload();
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      show(new DOMParser().parseFromString(await answer.text(), "text/html"));
      offline.hidden = true;
      lookWhenDue();
    } catch {
      offline.hidden = false;
      soon(AGAIN_MS);
    } finally {
      fetching = false;
      if (again) {
        again = false;
        soon(300);
      }
    }
  }

  function show(page) {
    const before = document.querySelector("main");
    const after = page.querySelector("main");
    if (!after || before.innerHTML === after.innerHTML) return;
    const kept = keep(before);
    const top = window.scrollY;
    before.replaceWith(document.adoptNode(after));
    restore(kept);
    window.scrollTo(window.scrollX, top);
    document.title = page.title;
    const news = after.querySelector("[data-announce]");
    const text = news ? news.textContent.replace(/\s+/g, " ").trim() : "";
    if (announce.textContent !== text) announce.textContent = text;
  }

  function keep(main) {
    const active = document.activeElement;
    const fields = [...main.querySelectorAll("textarea[id], input[id]")]
      .filter((field) => field.value !== field.defaultValue)
      .map((field) => [field.id, field.value]);
    const open = [...main.querySelectorAll("details[id][open]")].map((each) => each.id);
    return {
      fields,
      open,
      focus: main.contains(active) ? active.id : "",
      selection: active && "selectionStart" in active ? active.selectionStart : null,
    };
  }

  function restore(kept) {
    for (const [id, value] of kept.fields) {
      const field = document.getElementById(id);
      if (field) field.value = value;
    }
    for (const id of kept.open) {
      const details = document.getElementById(id);
      if (details) details.open = true;
    }
    const focus = kept.focus && document.getElementById(kept.focus);
    if (!focus) return;
    focus.focus({ preventScroll: true });
    if (kept.selection !== null && focus.setSelectionRange && focus.type !== "search") {
      focus.setSelectionRange(kept.selection, kept.selection);
    }
  }

  // a page that waits for somebody says when it would tell of silence
  function lookWhenDue() {
    const due = document.querySelector("main [data-look-ms]");
    if (due) soon(Number(due.dataset.lookMs));
  }

  let lost = false;
  function listen() {
    const source = new EventSource(stream);
    for (const name of Object.keys(WAIT_MS)) {
      source.addEventListener(name, () => soon(WAIT_MS[name]));
    }
    source.onerror = () => {
      lost = true;
      soon(3000);
      // the browser gives up for good on an answer that is no stream (a server that starts): we do not
      if (source.readyState === EventSource.CLOSED) setTimeout(listen, AGAIN_MS);
    };
    source.onopen = () => {
      // back after a lost connection, or on a page that waits for an answer, which may have come
      // while this one was loading: something may have been missed
      if (lost || document.querySelector("main [data-look-ms]")) soon(100);
      lost = false;
    };
  }

  listen();
  lookWhenDue();
  setInterval(() => soon(0), EVERY_MS);
  document.addEventListener("visibilitychange", () => document.hidden || soon(0));
})();
