import { expect, test, withoutJavaScript } from "../support/fixtures";
import { base64, sourceAnswering } from "../support/seed";

test("a recorded request is replayed on a version and on the draft, and the last ones are checked", withoutJavaScript, async ({ page, visit, named, request, javaScriptEnabled }) => {
  const workspace = await (await request.post("/api/workspaces", { data: { name: named("Shop") } })).json();
  const name = named("Repeater");
  const greeting = `Hello from ${name}!`;
  const made = await (
    await request.post(`/api/workspaces/${workspace.id}/functions`, {
      data: { name, code: base64(sourceAnswering(greeting)) },
    })
  ).json();
  const place = `/workspaces/${workspace.id}/functions/${made.id}`;

  await visit(`${place}/deploy`);
  await page.getByRole("button", { name: /^Deploy/ }).last().click();
  await expect(page.getByText("Build v1 is done", { exact: true })).toBeVisible({ timeout: 90_000 });
  const called = await request.post(`/api${place}/test`, { data: { path: "/a", headers: { authorization: "Bearer one" } } });
  expect((await called.json()).statusCode).toBe(200);

  await visit(`${place}/executions`);
  await page.getByRole("link", { name: /^Open the execution of/ }).first().click();
  await expect(page.getByText(/requestHeaders\.authorization is a credential/)).toBeVisible();
  await page.getByLabel("Replay on").selectOption("1");
  await page.getByRole("button", { name: "Replay" }).click();
  await expect(page.getByText("Both answered the same.")).toBeVisible();
  await expect(page.getByRole("columnheader", { name: "Recorded on v1" })).toBeVisible();
  await expect(page).toHaveURL(/replay=/);

  await page.getByLabel("Replay on").selectOption("draft");
  await page.getByRole("button", { name: "Replay" }).click();
  await expect(page).toHaveURL(/\/code\?execution=/);
  if (javaScriptEnabled === false) return;

  await page.getByRole("textbox", { name: /^Python code/ }).fill(sourceAnswering("Hello from the draft!"));
  await page.getByRole("button", { name: /^Run draft/ }).click();
  const body = page.getByRole("group", { name: "Body" });
  await expect(body).toContainText(greeting);
  await expect(body).toContainText("Hello from the draft!");

  await page.getByRole("button", { name: "Check the last 20 requests" }).click();
  await expect(page.getByText("0 the same, 1 different")).toBeVisible();
  const row = page.getByRole("table", { name: "Checked requests, newest first" }).getByRole("row").nth(1);
  await expect(row).toContainText("without authorization");
  await row.getByRole("button", { name: "Compare" }).click();
  await expect(page.getByRole("columnheader", { name: "On the draft" }).last()).toBeVisible();
});
