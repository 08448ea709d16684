// Whether a page is whole: nothing beyond its edges, nothing too small for a thumb, and nothing that
// axe-core calls serious or critical.

import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright-core";

/** What lies beyond the edges of the window, by its words. */
export async function beyond(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const wide = innerWidth;
    const root = document.documentElement;
    if (root.scrollWidth > wide) found.push(`the page scrolls sideways: ${root.scrollWidth} of ${wide} px`);
    // Whoever lies in something that scrolls, or cuts with an ellipsis, can be reached or is meant so.
    const contained = (element: Element): boolean => {
      for (let one = element.parentElement; one && one !== document.body; one = one.parentElement) {
        if (getComputedStyle(one).overflowX !== "visible") return true;
      }
      return false;
    };
    for (const element of document.body.querySelectorAll("*")) {
      const box = element.getBoundingClientRect();
      if (box.width === 0 || box.height === 0 || (box.right <= wide + 1 && box.left >= -1)) continue;
      const style = getComputedStyle(element);
      // What is for screen readers alone lies outside by intention.
      if (style.visibility === "hidden" || style.clipPath !== "none" || style.clip !== "auto") continue;
      if (element.closest(".sr-only, .skip") || contained(element)) continue;
      found.push(`${element.tagName.toLowerCase()}.${element.getAttribute("class") ?? ""} from ${Math.round(box.left)} to ${Math.round(box.right)} px: ${(element.textContent ?? "").slice(0, 60)}`);
      if (found.length > 8) break;
    }
    // Words that are cut off, with nothing that says so.
    for (const element of document.body.querySelectorAll("button, h1, h2, h3, td, th, dd, dt, label, p")) {
      const style = getComputedStyle(element);
      if (style.overflowX !== "hidden" && style.overflowX !== "clip") continue;
      if (element.closest(".sr-only") || style.textOverflow === "ellipsis") continue;
      if (element.scrollWidth > element.clientWidth + 1) {
        found.push(`${element.tagName.toLowerCase()} is cut off: ${(element.textContent ?? "").slice(0, 60)}`);
      }
    }
    return found;
  });
}

/** Buttons, fields and tabs that a thumb would miss: lower than 44 px. */
export async function small(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const selector = "button, select, input:not([type=hidden]), textarea, summary, nav a, [role=button], [role=menuitem]";
    for (const element of document.querySelectorAll(selector)) {
      // A box is chosen by its label too.
      const target = element.matches("input[type=radio], input[type=checkbox]") ? (element.closest("label") ?? element) : element;
      const box = target.getBoundingClientRect();
      if (box.width === 0 || box.height === 0 || getComputedStyle(target).visibility === "hidden") continue;
      if (element.closest(".sr-only, .skip, .xterm-helpers, [inert]")) continue;
      if (box.height >= 43.5) continue;
      const name = element.getAttribute("aria-label") ?? element.textContent ?? "";
      found.push(`${element.tagName.toLowerCase()} "${name.slice(0, 40)}" is ${Math.round(box.height)} px high`);
    }
    return found;
  });
}

/** What axe-core calls serious or critical, each with where it is. */
export async function violations(page: Page): Promise<string[]> {
  // What is out of view is not drawn, and has the colours of when it was: it is drawn for once.
  await page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("*, *::before, *::after { content-visibility: visible !important; transition: none !important; animation: none !important; }");
    document.adoptedStyleSheets = [sheet];
    return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  });
  const builder = new AxeBuilder({ page }).setLegacyMode(true).options({
    resultTypes: ["violations"],
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  });
  const { violations: all } = await builder.analyze();
  return all
    .filter((it) => it.impact === "serious" || it.impact === "critical")
    .map((it) => {
      const where = it.nodes.slice(0, 3).map((node) => `${String(node.target)} ${(node.any[0]?.message ?? "").slice(0, 200)}`);
      return `${it.impact} ${it.id}: ${it.help} (${it.nodes.length}): ${where.join(" | ")}`;
    });
}
