import { expect, test } from "../support/fixtures";

// ReDoc asks its maker for a logo; the page's policy refuses that, and the browser says so.
test.use({ expectedMessages: [/cdn\.redoc\.ly.*violates the following Content Security Policy/] });

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
    expect(answered.filter((address) => !address.startsWith(baseURL!) && !/^(data|blob):/.test(address))).toEqual([]);
  });
}
