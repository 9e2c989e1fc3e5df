// Improves the console's pages; everything works without it.

// j and k move from row to row while the focus is in the table, like the arrow keys.
for (const rows of document.querySelectorAll("[data-rows]")) {
  const links = [...rows.querySelectorAll("[data-row-link]")];
  rows.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
    const at = links.findIndex((link) => link === document.activeElement);
    if (!step || at < 0) return;
    const next = links[at + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
}

// A second click on a button whose form is on its way sends nothing; the server would not mind, but the person would wonder.
for (const form of document.querySelectorAll('form[method="post"]')) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    setTimeout(() => { delete form.dataset.sent; }, 4000);
  });
}
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form")) delete form.dataset.sent;
});

// What is there to be copied is selected at a touch.
for (const field of document.querySelectorAll("[data-select]")) field.addEventListener("focus", () => field.select());

// The summary of what is wrong takes the focus, so that it is read first.
document.querySelector("[data-focus]")?.focus();
