// What a browser says it is, shortened to what tells one from another.

const BROWSERS: readonly [RegExp, string][] = [
  [/\bEdg(?:A|iOS)?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bFirefox\/|\bFxiOS\//, "Firefox"],
  [/\bChrom(?:e|ium)\/|\bCriOS\//, "Chrome"],
  [/\bSafari\//, "Safari"],
  [/^curl\//, "curl"],
];
const SYSTEMS: readonly [RegExp, string][] = [
  [/iPhone|iPad/, "iOS"],
  [/Android/, "Android"],
  [/Windows/, "Windows"],
  [/Mac OS X/, "macOS"],
  [/CrOS/, "ChromeOS"],
  [/Linux/, "Linux"],
];

/** "Firefox on Linux"; what is not known as it was sent, shortened. */
export function browser(agent: string): string {
  const name = BROWSERS.find(([is]) => is.test(agent))?.[1];
  const system = SYSTEMS.find(([is]) => is.test(agent))?.[1];
  if (name === undefined) return agent === "" ? "a browser that does not say" : agent.slice(0, 60);
  return system === undefined ? name : `${name} on ${system}`;
}
