"use strict";
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  all("[data-needs-script]").forEach((each) => { each.hidden = false; });

  // Fold and unfold.
  all("[data-fold]").forEach((button) => button.addEventListener("click", () => {
    all(button.dataset.of).forEach((each) => { each.open = button.dataset.fold === "open"; });
  }));

  // A link to something inside what is folded unfolds it.
  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let each = target; each; each = each.parentElement) if (each.matches("details")) each.open = true;
    if (target && target.matches("details")) target.querySelector("summary").focus();
    if (target) target.scrollIntoView({ block: "center" });
  };
  addEventListener("hashchange", reveal);
  all('a[href^="#"]').forEach((link) => link.addEventListener("click", () => setTimeout(reveal)));
  reveal();

  // Arrow keys go from row to row; left and right fold and unfold, as in a tree.
  const rows = ".tree summary, .chart summary";
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") document.body.classList.add("no-tips");
    const here = event.target.closest && event.target.closest(rows);
    if (!here || event.ctrlKey || event.altKey || event.metaKey) return;
    const shown = all(rows).filter((each) => each.offsetParent !== null && each.checkVisibility());
    const at = shown.indexOf(here);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: shown.length - 1 }[event.key];
    if (next !== undefined && shown[next]) {
      shown[next].focus();
      event.preventDefault();
    } else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      here.parentElement.open = event.key === "ArrowRight";
      event.preventDefault();
    }
  });
  ["focusin", "pointerover"].forEach((kind) => document.addEventListener(kind, (event) => {
    if (event.target.closest(rows)) document.body.classList.remove("no-tips");
  }));

  // Paper shows everything.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = all("details:not([open])");
    folded.forEach((each) => { each.open = true; });
  });
  addEventListener("afterprint", () => folded.forEach((each) => { each.open = false; }));

  // The filter of changes.
  const filter = document.querySelector("form.filter");
  if (!filter) return;
  const changes = all(".tree .change").map((node) => {
    const stack = node.closest(".stack");
    const text = `${stack.querySelector("summary").textContent} ${node.textContent}`.toLowerCase();
    return { node, stack, text, kind: node.dataset.kind };
  });
  const found = document.getElementById("found");
  const narrow = () => {
    const words = filter.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const kinds = new Set(all('input[name="kind"]:checked', filter).map((box) => box.value));
    const everything = !words.length && kinds.size === all('input[name="kind"]', filter).length;
    const left = new Set();
    let count = 0;
    changes.forEach(({ node, stack, text, kind }) => {
      const fits = kinds.has(kind) && words.every((word) => text.includes(word));
      node.hidden = !fits;
      if (fits) { left.add(stack); count += 1; }
    });
    all(".tree .stack").forEach((stack) => { stack.hidden = !everything && !left.has(stack); });
    if (!everything) left.forEach((stack) => { stack.open = true; });
    found.textContent = everything ? "" : `${count} of ${changes.length} changes shown`;
  };
  filter.addEventListener("input", narrow);
  filter.addEventListener("submit", (event) => event.preventDefault());
})();
