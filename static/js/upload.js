// The upload box takes a dropped file, and says at once when one is too large. It works without.

for (const box of document.querySelectorAll("[data-drop]")) {
  const input = box.querySelector("input[type=file]");
  const error = box.querySelector("[data-drop-error]");
  box.querySelector("[data-drop-hint]").hidden = false;

  const tooBig = () => [...input.files].some((file) => file.size > Number(box.dataset.maxBytes));
  const look = () => {
    error.textContent = tooBig() ? box.dataset.tooBig : "";
  };

  for (const kind of ["dragenter", "dragover"]) {
    box.addEventListener(kind, (event) => {
      event.preventDefault();
      box.classList.add("over");
    });
  }
  for (const kind of ["dragleave", "drop"]) {
    box.addEventListener(kind, () => box.classList.remove("over"));
  }
  box.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length === 0) return;
    const one = new DataTransfer();
    one.items.add(event.dataTransfer.files[0]);
    input.files = one.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    input.focus();
  });
  input.addEventListener("change", look);
  // In front of the listener that marks a form as sent.
  input.form.addEventListener("submit", (event) => {
    look();
    if (tooBig()) {
      event.preventDefault();
      input.focus();
    }
  });
}
