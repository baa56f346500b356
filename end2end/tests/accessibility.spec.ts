import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";

import { expect, test } from "../support/fixtures";
import { type Seeded, screens, seed } from "../support/seed";

// The page that is not there answers 404, and the browser says so.
test.use({ expectedMessages: [/status of 404/] });

let seeded: Seeded;

test.beforeAll(async ({ playwright }, testInfo) => {
  const request = await playwright.request.newContext({ baseURL: testInfo.project.use.baseURL });
  seeded = await seed(request, `Accessible ${Date.now().toString(36)}`);
  await request.dispose();
});

/** What keeps somebody from using the page, as a list to read. */
async function barriers(page: Page, screen: string): Promise<string[]> {
  const { passes, violations } = await new AxeBuilder({ page }).analyze();
  expect(passes.length, `axe looked at ${screen}`).toBeGreaterThan(0);
  return violations.flatMap((violation) =>
    violation.nodes.map((node) => `${screen}: ${violation.id}: ${node.target.join(" ")}: ${node.any[0]?.message ?? violation.help}`),
  );
}

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(`in ${colorScheme}`, () => {
    test.use({ colorScheme });

    test("no screen has a barrier that axe knows of", async ({ page, visit }) => {
      const found: string[] = [];
      for (const [screen, address] of Object.entries(screens(seeded))) {
        await visit(address);
        found.push(...(await barriers(page, screen)));
      }
      expect(found).toEqual([]);
    });

    test("what opens on a screen has none either", async ({ page, visit }) => {
      const found: string[] = [];
      const place = `/workspaces/${seeded.workspace}/functions/${seeded.function}`;
      await visit(`${place}/code`);
      await page.getByRole("button", { name: "Check the last 20 requests" }).click();
      await expect(page.getByRole("table", { name: "Checked requests, newest first" })).toBeVisible();
      await page.getByRole("button", { name: "Compare" }).first().click();
      await expect(page.getByRole("group", { name: "Body" }).or(page.getByText("The bodies are the same.")).first()).toBeVisible();
      found.push(...(await barriers(page, "check")));
      await visit(`${place}/test`);
      await page.getByRole("main").getByRole("button", { name: /^Run/ }).first().click();
      await expect(page.getByText("First of", { exact: false }).first()).toBeVisible();
      found.push(...(await barriers(page, "response")));
      expect(found).toEqual([]);
    });
  });
}
