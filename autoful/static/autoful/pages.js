// What the pages of the back office lack without it.

document.addEventListener("input", ({ target }) => {
  if (target.id !== "search-input-command") return;
  // "Nothing found" was the answer to what stood in the box before.
  document.querySelector("[data-nothing-found]")?.remove();
  // Unfold waits for a key, which what is pasted or dictated needs none of.
  target.dispatchEvent(new KeyboardEvent("keyup", { bubbles: true }));
});

// Select2 calls its box by what is picked, which is nothing at first: by its field, and what is picked.
new MutationObserver(() => {
  for (const box of document.querySelectorAll(".select2-selection:not([data-named])")) {
    box.dataset.named = "";
    const select = box.closest(".select2").previousElementSibling;
    const name = select?.labels?.[0]?.textContent.trim() ?? select?.getAttribute("aria-label");
    const picked = box.querySelector("[role=textbox]");
    if (!name || !picked) continue;
    // By ids that stay when Django numbers the rows of a table anew.
    box.id ||= `${picked.id}-box`;
    box.setAttribute("aria-label", name);
    box.setAttribute("aria-labelledby", `${box.id} ${picked.id}`);
    picked.setAttribute("aria-labelledby", `${box.id} ${picked.id}`);
  }
}).observe(document.documentElement, { childList: true, subtree: true });

// A double click sends once, and whoever made it need not read that it was sent already.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
});
// Whoever comes back to the page may send it again; whether that was done already, the server knows.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
