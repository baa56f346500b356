import { expect, test, withoutJavaScript } from "../support/fixtures";

const WRONG_TYPE = `from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        status: int = "two hundred"
        return Response(status, {}, b"never")
`;

test("a type error fails the build and shows its line and message", withoutJavaScript, async ({ page, visit, named, request }) => {
  const workspace = await (await request.post("/api/workspaces", { data: { name: named("Wrong") } })).json();
  const name = named("Wrong type");

  await visit(`/workspaces/${workspace.id}/functions/new`);
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByRole("textbox", { name: /^Python code/ }).fill(WRONG_TYPE);
  await page.getByRole("button", { name: /^Create and deploy/ }).click();

  await expect(page.getByText(/^Build #\w{6} failed$/)).toBeVisible({ timeout: 90_000 });
  const stage = page.getByRole("listitem").filter({ has: page.getByRole("heading", { level: 3, name: /^Validate\s*, failed$/ }) });
  await expect(stage.getByText(/^Incompatible types in assignment/).first()).toBeVisible();
  await expect(stage.getByText("app.py:6", { exact: true })).toBeVisible();
  await expect(stage.getByText('status: int = "two hundred"')).toBeVisible();
  await expect(page.getByRole("heading", { level: 3, name: /^Build\s*, not reached$/ })).toBeVisible();
  await expect(page.getByRole("button", { name: "Build again" }).first()).toBeVisible();

  await stage.getByRole("link", { name: "Open line 6" }).click();
  await expect(page).toHaveURL(/\/code#L6$/);
  await expect(page.getByRole("textbox", { name: /^Python code/ })).toHaveValue(WRONG_TYPE);
});

test("code without a handler fails before anything is built", withoutJavaScript, async ({ page, visit, named, request }) => {
  const workspace = await (await request.post("/api/workspaces", { data: { name: named("Empty") } })).json();

  await visit(`/workspaces/${workspace.id}/functions/new`);
  await page.getByLabel("Name", { exact: true }).fill(named("No handler"));
  await page.getByRole("textbox", { name: /^Python code/ }).fill("def nothing() -> None:\n    pass\n");
  await page.getByRole("button", { name: /^Create and deploy/ }).click();

  await expect(page.getByText(/^Build #\w{6} failed$/)).toBeVisible({ timeout: 30_000 });
  await expect(page.getByText("module 'app' has no attribute 'IncomingHandler'").first()).toBeVisible();
  await expect(page.getByText("What to do").first()).toBeVisible();
});
