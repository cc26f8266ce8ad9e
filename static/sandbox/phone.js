// Fetches the page every two seconds and swaps in what changed. Without it the page reloads itself.
const PAUSE = 2000;
const LIVE = ["rows", "entries", "now"];

const isBusy = (part) => part.contains(document.activeElement) && document.activeElement.matches("input, textarea");

function swap(fresh) {
  for (const id of LIVE) {
    const old = document.getElementById(id);
    const next = fresh.getElementById(id);
    if (!old || !next || isBusy(old)) continue;
    if (id === "entries") merge(old, next);
    else replace(old, next);
  }
  document.body.dataset.version = fresh.body.dataset.version;
}

function replace(old, next) {
  const focused = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  old.replaceChildren(...next.childNodes);
  if (focused) old.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

// Only what changed is touched: an email whose frame is put in anew would load again and jump.
function merge(old, next) {
  const kept = new Map([...old.children].map((entry) => [entry.dataset.key, entry]));
  let place = old.firstElementChild;
  for (const entry of [...next.children]) {
    const before = kept.get(entry.dataset.key);
    if (!before) old.insertBefore(entry, place);
    else {
      place = before.nextElementSibling;
      if (before.outerHTML !== entry.outerHTML) before.replaceWith(entry);
    }
  }
}

async function look() {
  if (document.hidden) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (Boolean(fresh.getElementById("entries")) !== Boolean(document.getElementById("entries"))) location.reload();
  else if (fresh.body.dataset.version !== document.body.dataset.version) swap(fresh);
}

setInterval(() => look().catch(() => {}), PAUSE);
