import { expect, test } from "vitest";
import { match } from "../src/match";

test("an address is matched part by part, and its parts are decoded", () => {
  expect(match("/apps/:app/logs", "/apps/my%20shop/logs")).toEqual({ app: "my shop" });
  expect(match("/apps/:app/logs", "/apps/shop")).toBeUndefined();
  expect(match("/", "/")).toEqual({});
});

test("an address that cannot be decoded is no page's", () => {
  expect(match("/apps/:app", "/apps/%E0%A4%A")).toBeUndefined();
});
