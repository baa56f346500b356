import { expect, test, withoutJavaScript } from "../support/fixtures";

/** The template's answer made this run's own, so that no build before it is answered from the cache. */
function greetingOf(name: string): string {
  return `Hello from ${name}!`;
}

function sourceAnswering(text: string): string {
  return `from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        print("greeting somebody")
        return Response(200, {"content-type": "text/plain; charset=utf-8"}, ${JSON.stringify(text)}.encode())
`;
}

test("a function is created, deployed, called, watched and deleted", withoutJavaScript, async ({ page, visit, named }) => {
  const workspace = named("Shop");
  const name = named("Greeter");
  const greeting = greetingOf(name);
  const stageHeading = (stage: string, state: string) =>
    page.getByRole("heading", { level: 3, name: new RegExp(`^${stage}\\s*, ${state}$`) });
  const tabs = page.getByRole("navigation", { name: "Function", exact: true });

  await visit("/?dialog=create");
  const creating = page.getByRole("dialog", { name: "Create workspace" });
  await creating.getByLabel("Name").fill(workspace);
  await creating.getByRole("button", { name: "Create workspace" }).click();
  await expect(page.getByRole("heading", { level: 1, name: workspace })).toBeVisible();

  await page.getByRole("navigation", { name: "Workspace", exact: true }).first().getByRole("link", { name: "Functions" }).click();
  await page.getByRole("main").getByRole("link", { name: "Create function" }).first().click();
  await expect(page.getByRole("heading", { level: 1, name: "Create function" })).toBeVisible();
  await page.getByRole("navigation", { name: "Template" }).getByRole("link", { name: /^Hello/ }).click();
  await page.getByLabel("Name", { exact: true }).fill(name);
  const code = page.getByRole("textbox", { name: /^Python code/ });
  await expect(code).toHaveValue(/class IncomingHandler\(BaseHandler\):/);
  await code.fill(sourceAnswering(greeting));
  await page.getByRole("button", { name: /^Create and deploy/ }).click();

  // The Deploy tab follows the build: by script, or by loading itself again.
  await expect(page).toHaveURL(/\/deploy$/);
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  await expect(page.getByText("Build v1 is done", { exact: true })).toBeVisible({ timeout: 90_000 });
  await page.getByText(/^Full builder output/).click();
  await expect(page.getByRole("log", { name: "Builder output" })).toContainText("Types are sound");
  for (const stage of ["Validate", "Build", "Push", "Deploy", "Ready"]) {
    await expect(stageHeading(stage, "done")).toBeVisible();
  }

  const address = page.getByRole("link", { name: /^http:\/\/127\.0\.0\.1:\d+\/greeter-/ });
  await expect(address).toBeVisible();
  const url = (await address.getAttribute("href"))!;
  const answer = await page.request.get(url);
  expect(answer.status()).toBe(200);
  expect(await answer.text()).toBe(greeting);

  await tabs.getByRole("link", { name: "Test & Run" }).click();
  await page.getByRole("button", { name: /^Run/ }).click();
  await expect(page.getByText("200 OK", { exact: true })).toBeVisible();
  await expect(page.getByText(greeting, { exact: true })).toBeVisible();
  await expect(page.getByText("greeting somebody", { exact: true })).toBeVisible();

  await tabs.getByRole("link", { name: "Executions" }).click();
  const executions = page.getByRole("table", { name: "Executions, newest first" });
  // The header, the call of the address, the test.
  await expect(executions.getByRole("row")).toHaveCount(3);
  await executions.getByRole("link", { name: /^Open the execution of/ }).first().click();
  await expect(page.getByText(greeting, { exact: true })).toBeVisible();
  await expect(page.getByText("Called by", { exact: true })).toBeVisible();

  await page.getByLabel("More actions").click();
  await page.getByRole("link", { name: "Delete…" }).click();
  const deleting = page.getByRole("dialog", { name: `Delete ${name}` });
  await expect(deleting).toContainText("for good");
  await deleting.getByRole("button", { name: "Delete function" }).click();
  await expect(page).toHaveURL(/\/functions$/);
  await expect(page.getByRole("heading", { level: 1, name: "Functions" })).toBeVisible();
  await expect(page.getByRole("link", { name })).toHaveCount(0);
  expect((await page.request.get(url)).status()).toBe(404);
});

test("a deletion that is not confirmed deletes nothing", withoutJavaScript, async ({ page, visit, named, request, baseURL }) => {
  const workspace = await (await request.post("/api/workspaces", { data: { name: named("Kept") } })).json();
  const name = named("Kept function");
  const made = await (await request.post(`/api/workspaces/${workspace.id}/functions`, { data: { name } })).json();

  await visit(`/workspaces/${workspace.id}/functions/${made.id}?dialog=delete`);
  const dialog = page.getByRole("dialog", { name: `Delete ${name}` });
  await dialog.getByRole("link", { name: "Cancel" }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  expect((await request.get(`${baseURL}/api/functions/${made.id}`)).status()).toBe(200);
});
