// "Nothing found" was the answer to what stood in the box before.
document.addEventListener("input", ({ target }) => {
  if (target.id === "search-input-command") document.querySelector("[data-nothing-found]")?.remove();
});
