// Improves pages that already work without it: keys, menus, dialogs, one press per form.

const menus = () => document.querySelectorAll("details.menu[open]");

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    const search = document.querySelector("[data-search]");
    if (search) {
      event.preventDefault();
      search.focus();
      search.select();
    }
  }
  if (event.key === "Escape") {
    for (const menu of menus()) {
      menu.removeAttribute("open");
      menu.querySelector("summary").focus();
    }
  }
  if ((event.key === "j" || event.key === "k") && !event.ctrlKey && !event.metaKey && !event.altKey && !event.target.closest("input, textarea, select, [contenteditable]")) {
    moveAlongRows(event.key === "j" ? 1 : -1);
  }
});

function moveAlongRows(step) {
  const stops = [...document.querySelectorAll("[data-stop]")];
  if (stops.length === 0) return;
  const here = stops.indexOf(document.activeElement);
  stops[Math.min(Math.max(here + step, 0), stops.length - 1)].focus();
}

document.addEventListener("click", (event) => {
  for (const menu of menus()) {
    if (!menu.contains(event.target)) menu.removeAttribute("open");
  }
  const opener = event.target.closest("[data-dialog]");
  const dialog = opener && document.getElementById(opener.dataset.dialog);
  if (dialog) {
    event.preventDefault();
    dialog.showModal();
  }
  const closer = event.target.closest("[data-close]");
  if (closer) {
    event.preventDefault();
    const open = closer.closest("dialog");
    if (open) open.close();
    else closer.closest(".notice").remove();
  }
});

// A second press while the first is on its way would only be refused by the server; spare people that answer.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  event.submitter?.classList.add("busy");
});
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.forms) delete form.dataset.sent;
  for (const button of document.querySelectorAll(".busy")) button.classList.remove("busy");
});

for (const select of document.querySelectorAll("form[data-autosubmit] select")) {
  select.addEventListener("change", () => select.form.requestSubmit());
}

// Copying needs the browser's leave; without it the text is selected, for the keyboard to copy.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    let said = "Copied";
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {
      getSelection().selectAllChildren(source);
      said = "Selected: press Ctrl C";
    }
    button.querySelector("span").textContent = said;
    button.nextElementSibling.textContent = said;
  });
}

document.querySelector(".error-summary")?.focus();
