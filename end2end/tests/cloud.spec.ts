import { expect, test, withoutJavaScript } from "../support/fixtures";
import { base64, sourceAnswering } from "../support/seed";

/** What stands for a pod says which image it runs. */
const answer = /^Hello from registry\.example\/faas:/;

test("a function is created, deployed to the cluster, called, watched and deleted", withoutJavaScript, async ({ page, visit, named }) => {
  const workspace = named("Cloud shop");
  const name = named("Courier");
  const tabs = page.getByRole("navigation", { name: "Function", exact: true });

  await visit("/?dialog=create");
  const creating = page.getByRole("dialog", { name: "Create workspace" });
  await creating.getByLabel("Name").fill(workspace);
  await creating.getByRole("button", { name: "Create workspace" }).click();
  await expect(page.getByRole("heading", { level: 1, name: workspace })).toBeVisible();

  await page.getByRole("navigation", { name: "Workspace", exact: true }).first().getByRole("link", { name: "Functions" }).click();
  await page.getByRole("main").getByRole("link", { name: "Create function" }).first().click();
  await page.getByRole("navigation", { name: "Template" }).getByRole("link", { name: /^Hello/ }).click();
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByRole("button", { name: /^Create and deploy/ }).click();

  await expect(page).toHaveURL(/\/deploy$/);
  await expect(page.getByText("Build v1 is done", { exact: true })).toBeVisible({ timeout: 60_000 });
  for (const stage of ["Validate", "Build", "Push", "Deploy", "Ready"]) {
    await expect(page.getByRole("heading", { level: 3, name: new RegExp(`^${stage}\\s*, done$`) })).toBeVisible();
  }

  // The Builder Service removes hyphens from the name.
  const address = page.getByRole("link", { name: /^http:\/\/127\.0\.0\.1:\d+\/courier[a-z0-9]+/ }).first();
  const url = (await address.getAttribute("href"))!;
  const called = await page.request.get(url);
  expect(called.status()).toBe(200);
  expect(await called.text()).toMatch(answer);

  await tabs.getByRole("link", { name: "Overview" }).click();
  await expect(page.getByText(/courier[a-z0-9]+\.default\.svc\.cluster\.local/).first()).toBeVisible();
  await expect(page.getByText(/Calls inside the cluster bypass this server/)).toBeVisible();

  await tabs.getByRole("link", { name: "Test & Run" }).click();
  await page.getByRole("button", { name: /^Run/ }).click();
  await expect(page.getByText("200 OK", { exact: true })).toBeVisible();
  await expect(page.getByText(answer)).toBeVisible();

  await tabs.getByRole("link", { name: "Executions" }).click();
  // The header, the call of the address, the test.
  await expect(page.getByRole("table", { name: "Executions, newest first" }).getByRole("row")).toHaveCount(3);

  await page.getByLabel("More actions").click();
  await page.getByRole("link", { name: "Delete…" }).click();
  await page.getByRole("dialog", { name: `Delete ${name}` }).getByRole("button", { name: "Delete function" }).click();
  await expect(page).toHaveURL(/\/functions$/);
  await expect(page.getByRole("link", { name })).toHaveCount(0);
  expect((await page.request.get(url)).status()).toBe(404);
});

test("a deployment to the cluster has its own settings, which its manifest shows", async ({ page, visit, named, request }) => {
  const workspace = await (await request.post("/api/workspaces", { data: { name: named("Cluster") } })).json();
  const functions = `/api/workspaces/${workspace.id}/functions`;
  const data = { name: named("Sized"), code: base64(sourceAnswering("sized")), environmentVariables: { LEVEL: "debug" } };
  const made = await (await request.post(functions, { data })).json();

  await visit(`/workspaces/${workspace.id}/functions/${made.id}/deploy`);
  await expect(page.getByText(/SpinKube itself does not apply them/)).toBeVisible();
  await page.getByLabel("Replicas", { exact: true }).selectOption({ label: "A fixed number" });
  await page.getByLabel("Number", { exact: true }).fill("3");
  await page.getByText("Resources", { exact: true }).click();
  await page.getByLabel("CPU limit").fill("750m");
  await page.getByRole("complementary").getByRole("button", { name: /^Deploy/ }).click();
  await expect(page.getByText("Build v1 is done", { exact: true })).toBeVisible({ timeout: 60_000 });

  const deployments = await (await request.get(`/api/v1/functions/${made.id}/deployments`)).json();
  expect(deployments[0].options).toMatchObject({ enable_autoscaling: false, replicas: 3, cpu_limit: "750m" });
  await visit(`/workspaces/${workspace.id}/functions/${made.id}/code`);
  await expect(page.getByText(/os\.environ is not there/)).toBeVisible();
});
