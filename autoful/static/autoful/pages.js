// What the pages of the back office lack without it.

// "Nothing found" was the answer to what stood in the box before.
document.addEventListener("input", ({ target }) => {
  if (target.id === "search-input-command") document.querySelector("[data-nothing-found]")?.remove();
});

// Select2 calls its box by what is picked, which is nothing at first: by its field, and what is picked.
new MutationObserver(() => {
  for (const box of document.querySelectorAll(".select2-selection:not([data-named])")) {
    const select = box.closest(".select2").previousElementSibling;
    const name = select.labels?.[0] ?? select;
    name.id ||= `${select.id}-name`;
    for (const part of [box, box.querySelector("[role=textbox]")]) {
      part?.setAttribute("aria-labelledby", `${name.id} ${part.id || box.getAttribute("aria-labelledby")}`);
    }
    box.dataset.named = "";
  }
}).observe(document.documentElement, { childList: true, subtree: true });
