import { expect, test } from "../support/fixtures";

// The pages are other people's; that they work with files of ours alone is ours.
for (const [path, what] of [
  ["/docs", "Swagger UI"],
  ["/redoc", "ReDoc"],
] as const) {
  test(`${what} shows the API by files of ours alone`, async ({ page, baseURL }) => {
    const answered: string[] = [];
    page.on("response", (response) => answered.push(response.url()));
    await page.goto(path);
    const operation = page.getByText("Create a workspace").locator("visible=true").first();
    await expect(operation).toBeVisible({ timeout: 30_000 });
    // ReDoc's maker's logo would be asked for with the menu.
    if (path === "/redoc") await expect(page.getByText("API docs by Redocly")).toBeVisible();
    expect(answered.filter((address) => !address.startsWith(baseURL!) && !/^(data|blob):/.test(address))).toEqual([]);
  });
}
