"""How well texts of a page can be told from what is behind them, as WCAG 2.2 measures it (1.4.3)."""

from __future__ import annotations

from tests.browser import Page

LEAST = 4.5

_MEASURE = """
const least = arguments[0];
const parse = (text) => {
  const numbers = text.match(/[\\d.]+/g).map(Number);
  const scale = text.startsWith("color(srgb") ? 255 : 1;
  return [...numbers.slice(0, 3).map((one) => one * scale), numbers.length > 3 ? numbers[3] : 1];
};
const over = (top, below) => [0, 1, 2].map((at) => top[at] * top[3] + below[at] * (1 - top[3]));
const light = (colour) => {
  const linear = (c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const [r, g, b] = colour.map((one) => linear(one / 255));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = (element) => {
  const layers = [];
  for (let each = element; each; each = each.parentElement) {
    layers.push(parse(getComputedStyle(each).backgroundColor));
  }
  return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
};
const found = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let node = walker.nextNode(); node; node = walker.nextNode()) {
  const element = node.parentElement;
  const box = element.getBoundingClientRect();
  const shown = node.data.trim() && element.checkVisibility() && box.width > 1;
  if (!shown || element.closest("script, style")) continue;
  const back = behind(element);
  const [one, other] = [light(over(parse(getComputedStyle(element).color), back)), light(back)];
  const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  if (ratio < least) found.push(`${node.data.trim().slice(0, 40)}: ${ratio.toFixed(2)}`);
}
return [found, walker.root.innerText.length];
"""


def too_faint(page: Page) -> list[str]:
    """Return the texts of *page* with a contrast below 4.5 to 1, each with its contrast."""
    found, length = page.script(_MEASURE, LEAST)
    assert length > 0, "there is no text on the page"
    return list(found)
