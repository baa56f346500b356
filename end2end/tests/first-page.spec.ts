import { expect, test, withoutJavaScript } from "../support/fixtures";

test("a new workspace opens and is listed on the first page", withoutJavaScript, async ({ page, visit, named }) => {
  const name = named("Payments");

  await visit("/");
  await expect(page.getByRole("heading", { level: 1, name: "Workspaces" })).toBeVisible();

  await page.getByRole("main").getByRole("link", { name: "Create workspace" }).first().click();
  const dialog = page.getByRole("dialog", { name: "Create workspace" });
  await dialog.getByLabel("Name").fill(name);
  await dialog.getByLabel("Description").fill("Checkout, refunds, settlement webhooks");
  await dialog.getByRole("button", { name: "Create workspace" }).click();

  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  await expect(page).toHaveURL(/\/workspaces\/ws-[0-9A-Za-z]{8}$/);

  await visit("/");
  const card = page.getByRole("article").filter({ has: page.getByRole("link", { name }) });
  await expect(card).toContainText("Checkout, refunds, settlement webhooks");
  await card.getByRole("link", { name }).click();
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
});

test("a workspace without a name is refused where it was typed", withoutJavaScript, async ({ page, visit }) => {
  await visit("/");
  await page.getByRole("main").getByRole("link", { name: "Create workspace" }).first().click();
  const dialog = page.getByRole("dialog", { name: "Create workspace" });
  await dialog.getByRole("button", { name: "Create workspace" }).click();

  await expect(dialog).toBeVisible();
  await expect(dialog.getByLabel("Name")).toHaveJSProperty("validity.valueMissing", true);
});
