// A person without a mouse: Tab, arrows, Space, Enter and Escape, and nothing else.

import type { Page } from "playwright-core";

/** What has the focus: its role and its name, as a screen reader says them. */
export async function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement;
    if (!element || element === document.body) return "";
    const by = element.getAttribute("aria-labelledby");
    const labels = by?.split(" ").map((id) => document.getElementById(id)?.textContent ?? "").join(" ");
    const label = element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement ? element.labels?.[0]?.textContent : undefined;
    const name = element.getAttribute("aria-label") ?? labels ?? label ?? element.textContent ?? "";
    const role = element.getAttribute("role") ?? (element instanceof HTMLInputElement ? element.type : element.tagName.toLowerCase());
    return `${role} ${name.replace(/\s+/g, " ").trim()}`;
  });
}

/** Presses Tab until what is wanted has the focus, and shows that it has. */
export async function tabTo(page: Page, wanted: RegExp, key: "Tab" | "Shift+Tab" = "Tab"): Promise<void> {
  const seen: string[] = [];
  for (let presses = 0; presses < 80; presses += 1) {
    const now = await focused(page);
    if (wanted.test(now)) {
      await isVisible(page, now);
      return;
    }
    seen.push(now);
    await page.keyboard.press(key);
  }
  throw new Error(`Tab never comes to ${wanted}. It comes to:\n  ${seen.slice(0, 40).join("\n  ")}`);
}

/** The focus is shown: an outline, or a shadow in its place. */
async function isVisible(page: Page, what: string): Promise<void> {
  const shown = await page.evaluate(() => {
    for (let element = document.activeElement; element && element !== document.body; element = element.parentElement) {
      const style = getComputedStyle(element);
      if (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) return true;
      if (style.boxShadow !== "none") return true;
    }
    return false;
  });
  if (!shown) throw new Error(`nothing shows that ${what} has the focus`);
}
