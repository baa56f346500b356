import { readFile as read } from "node:fs/promises";

import { expect, test, withoutJavaScript } from "../support/fixtures";
import { base64 } from "../support/seed";

const source = (text: string) => `from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        return Response(200, {"content-type": "text/plain"}, b${JSON.stringify(text)})
`;

test("a function and a workspace are exported and imported", withoutJavaScript, async ({ page, visit, named, request }) => {
  const workspace = await (await request.post("/api/workspaces", { data: { name: named("Exports") } })).json();
  const name = named("Traveller");
  const data = { name, code: base64(source("hello")), environmentVariables: { KEY: "secret" } };
  const made = await (await request.post(`/api/workspaces/${workspace.id}/functions`, { data })).json();

  await visit(`/workspaces/${workspace.id}/functions/${made.id}/settings`);
  await expect(page.getByRole("link", { name: "Export with values" })).toBeVisible();
  const exporting = page.waitForEvent("download");
  await page.getByRole("main").getByRole("link", { name: "Export as Spin app" }).click();
  const exported = await exporting;
  expect(exported.suggestedFilename()).toMatch(/^traveller-.*\.zip$/);
  const file = await exported.path();

  await visit(`/workspaces/${workspace.id}/functions/new`);
  await page.getByLabel("File", { exact: true }).setInputFiles({ name: "traveller.zip", mimeType: "application/zip", buffer: await read(file) });
  await page.getByRole("button", { name: "Import function" }).click();
  await expect(page.getByText(`the workspace has functions of these names already: ${name}.`)).toBeVisible();

  await page.getByLabel("File", { exact: true }).setInputFiles({ name: "traveller.zip", mimeType: "application/zip", buffer: await read(file) });
  await page.getByLabel("Number it when the name is taken").check();
  await page.getByRole("button", { name: "Import function" }).click();
  await expect(page).toHaveURL(/\/code$/);
  await expect(page.getByRole("heading", { level: 1, name: `${name} 2` })).toBeVisible();
  await expect(page.getByRole("textbox", { name: /^Python code/ })).toHaveValue(source("hello"));

  await visit(`/workspaces/${workspace.id}/settings`);
  const exportingAll = page.waitForEvent("download");
  await page.getByRole("link", { name: "Export all functions" }).click();
  const all = await (await exportingAll).path();

  const other = await (await request.post("/api/workspaces", { data: { name: named("Imports") } })).json();
  await visit(`/workspaces/${other.id}/settings`);
  await page.getByLabel("Archive of a workspace").setInputFiles({ name: "all.zip", mimeType: "application/zip", buffer: await read(all) });
  await page.getByRole("button", { name: "Import functions" }).click();
  await expect(page).toHaveURL(/\/functions$/);
  for (const one of [name, `${name} 2`]) {
    await expect(page.getByRole("link", { name: one, exact: true })).toBeVisible();
  }
});

test("saved code is deployed, and the editor shows how far it is", withoutJavaScript, async ({ page, visit, named, request, javaScriptEnabled }) => {
  const workspace = await (await request.post("/api/workspaces", { data: { name: named("Saves") } })).json();
  const name = named("Saver");
  const made = await (await request.post(`/api/workspaces/${workspace.id}/functions`, { data: { name } })).json();

  await visit(`/workspaces/${workspace.id}/functions/${made.id}/settings`);
  await page.getByLabel("Deploy on save").check();
  await page.getByRole("button", { name: "Save settings" }).click();
  await expect(async () => {
    expect((await (await request.get(`/api/functions/${made.id}`)).json()).deployOnSave).toBe(true);
  }).toPass();

  await visit(`/workspaces/${workspace.id}/functions/${made.id}/code`);
  await expect(page.getByText("The next save is built and deployed.")).toBeVisible();
  await page.getByRole("textbox", { name: /^Python code/ }).fill(source(name));
  await page.getByRole("button", { name: /^Save/ }).click();
  await expect(async () => {
    if (javaScriptEnabled === false) await page.reload();
    await expect(page.getByText("All five stages done", { exact: true })).toBeVisible({ timeout: 3_000 });
  }).toPass({ timeout: 90_000 });
  const address = page.getByRole("link", { name: /^http:\/\/127\.0\.0\.1:\d+\/saver-/ });
  expect(await (await page.request.get((await address.getAttribute("href"))!)).text()).toBe(name);
});
