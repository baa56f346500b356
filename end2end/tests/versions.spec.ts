import { expect, test, withoutJavaScript } from "../support/fixtures";
import { base64, sourceAnswering } from "../support/seed";

test("a version is built, compared, labelled, tried on some calls, promoted and rolled back", withoutJavaScript, async ({ page, visit, named, request }) => {
  const workspace = await (await request.post("/api/workspaces", { data: { name: named("Versions") } })).json();
  const name = named("Versioned");
  const [first, second] = [`First of ${name}`, `Second of ${name}`];
  const functions = `/api/workspaces/${workspace.id}/functions`;
  const data = { name, code: base64(sourceAnswering(first)), environmentVariables: { TOKEN: "s3cret" } };
  const made = await (await request.post(functions, { data })).json();
  const deployTab = `/workspaces/${workspace.id}/functions/${made.id}/deploy`;
  const done = (version: string) => expect(page.getByText(`Build ${version} is done`, { exact: true })).toBeVisible({ timeout: 90_000 });
  const card = (title: string) => page.locator("section.card").filter({ has: page.getByRole("heading", { level: 2, name: title, exact: true }) });
  const row = (version: string) => card("Versions").getByRole("row").filter({ has: page.getByRole("link", { name: version, exact: true }) });

  await visit(deployTab);
  await page.getByRole("main").getByRole("button", { name: "Deploy", exact: true }).last().click();
  await done("v1");
  const url = (await page.getByRole("link", { name: /^http:\/\/127\.0\.0\.1:\d+\/versioned-/ }).getAttribute("href"))!;
  const answered = async () => (await page.request.get(url)).text();

  // A second version that does not serve yet.
  const changed = { code: base64(sourceAnswering(second)), timeout: 60, environmentVariables: { TOKEN: "another" } };
  await request.patch(`${functions}/${made.id}`, { data: changed });
  await visit(deployTab);
  await page.getByLabel("Only build a version; what serves stays").check();
  await page.getByRole("main").getByRole("button", { name: "Deploy changes" }).last().click();
  await done("v2");
  await visit(deployTab);
  await expect(row("v1").getByText("serving", { exact: true })).toBeVisible();
  expect(await answered()).toBe(first);

  await row("v2").getByRole("link", { name: "Compare" }).click();
  await expect(page).toHaveURL(/\/versions\/2\?against=1$/);
  const comparison = card("What v2 has other than v1");
  await expect(comparison.getByRole("row", { name: "Timeout 30 s 60 s" })).toBeVisible();
  await expect(comparison.getByRole("row", { name: "Variable TOKEN a value another value" })).toBeVisible();
  await expect(comparison.getByText(`+         return Response`)).toContainText(second);
  await expect(comparison).not.toContainText("s3cret");

  await page.getByLabel("Labels", { exact: true }).fill("candidate");
  await page.getByLabel(/^Pin/).check();
  await page.getByRole("button", { name: "Save labels" }).click();
  await expect(page.getByText("candidate", { exact: true })).toBeVisible();
  await expect(page.getByText("pinned", { exact: true })).toBeVisible();

  await visit(deployTab);
  await expect(row("v2").getByText("candidate", { exact: true })).toBeVisible();
  const canary = card("Canary");
  await canary.getByLabel("Version on trial").selectOption("2");
  await canary.getByLabel(/^Share of the calls/).fill("50");
  await canary.getByRole("button", { name: "Start canary" }).click();
  await expect(canary.getByText("v2 takes 50 % of the calls")).toBeVisible();
  const answers = new Set<string>();
  for (let call = 0; call < 60; call++) answers.add(await answered());
  expect([...answers].sort()).toEqual([first, second]);
  await visit(deployTab);
  await expect(canary.getByRole("row", { name: /^v2, on trial [1-9]\d? 0 0\.00%$/ })).toBeVisible();

  await canary.getByRole("button", { name: "Promote" }).click();
  await expect(canary.getByText("Promoted", { exact: true })).toBeVisible();
  await expect(row("v2").getByText("serving", { exact: true })).toBeVisible();
  expect(await answered()).toBe(second);

  await row("v1").getByRole("button", { name: "Roll back" }).click();
  await expect(row("v1").getByText("serving", { exact: true })).toBeVisible();
  expect(await answered()).toBe(first);
});
