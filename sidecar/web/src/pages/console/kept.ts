// Which console this tab has, so that a reload goes on with it. No other tab reads it.

const key = (app: string) => `vial-console ${app}`;

export function kept(app: string): string | null {
  try {
    return sessionStorage.getItem(key(app));
  } catch {
    return null;
  }
}

export function keep(app: string, id: string): void {
  try {
    sessionStorage.setItem(key(app), id);
  } catch {
    // A browser that keeps nothing: a reload then offers the console, and does not go on by itself.
  }
}

export function forgotten(app: string): void {
  try {
    sessionStorage.removeItem(key(app));
  } catch {
    // Nothing was kept.
  }
}
