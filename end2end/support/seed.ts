import { type APIRequestContext, expect } from "@playwright/test";

/** A function with two versions, a canary, calls that succeeded and failed, a replay, and one beside it whose build failed. */
export type Seeded = { workspace: string; broken: string; function: string; task: string; execution: string; replay: string };

export function sourceAnswering(text: string): string {
  return `from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        print("asked for", request.uri)
        status = 500 if "/fail" in request.uri else 200
        return Response(status, {"content-type": "text/plain; charset=utf-8"}, ${JSON.stringify(text)}.encode())
`;
}

export const base64 = (text: string) => Buffer.from(text).toString("base64");

async function json(answer: Promise<{ json(): Promise<any>; text(): Promise<string>; ok(): boolean }>): Promise<any> {
  const answered = await answer;
  expect(answered.ok(), await answered.text()).toBe(true);
  return answered.json();
}

/** Builds a module as the next version and answers the task once it ended. */
async function build(request: APIRequestContext, functionId: string, python: string): Promise<any> {
  const multipart = {
    file: { name: "app.py", mimeType: "text/x-python", buffer: Buffer.from(python) },
    function_id: functionId,
    registry_url: "registry.example.com/team/seeded",
  };
  const { task_id } = await json(request.post("/api/v1/build-and-push", { multipart }));
  let task: any;
  await expect
    .poll(async () => (task = await json(request.get(`/api/v1/tasks/${task_id}`))).status, { timeout: 90_000 })
    .toMatch(/done|failed/);
  return task;
}

export async function seed(request: APIRequestContext, name: string): Promise<Seeded> {
  const app = name.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  const description = "Checkout, refunds, settlement webhooks";
  const workspace = await json(request.post("/api/workspaces", { data: { name, description } }));
  const functions = `/api/workspaces/${workspace.id}/functions`;
  const first = sourceAnswering(`First of ${name}`);
  const data = { name: "orders", description: "Takes orders", code: base64(first), environmentVariables: { TOKEN: "s3cret", MODE: "live" } };
  const made = await json(request.post(functions, { data }));
  const own = `${functions}/${made.id}`;
  const built = await build(request, made.id, first);
  const deploy = { app_name: app, namespace: "default", image_ref: built.result.image_url };
  await json(request.post("/api/v1/deploy", { data: deploy }));
  const changed = { timeout: 60, environmentVariables: { TOKEN: "another" }, allowedOutboundHosts: ["https://api.example.com"] };
  await json(request.patch(own, { data: changed }));
  const second = await build(request, made.id, sourceAnswering(`Second of ${name}`));
  await json(request.patch(`/api/v1/functions/${made.id}/versions/2`, { data: { labels: ["candidate"], pinned: true } }));

  const called = await json(request.post(`${own}/test`, { data: { path: "/a", headers: { authorization: "Bearer one" } } }));
  for (let call = 0; call < 6; call++) {
    await request.post(`${own}/test`, { data: { path: call % 3 === 2 ? "/fail" : "/list", query: "page=2" } });
  }
  const replay = await json(request.post(`${own}/executions/${called.id}/replay`, { data: { version: 2 } }));
  await json(request.post(`/api/v1/functions/${made.id}/canary`, { data: { version: 2, percent: 10 } }));

  const broken = await json(request.post(functions, { data: { name: "refunds", code: base64("x = 1\n") } }));
  await build(request, broken.id, "class (\n");
  return { workspace: workspace.id, broken: broken.id, function: made.id, task: second.task_id, execution: called.id, replay: replay.replay.id };
}

/** Every screen of the console by its address. */
export function screens(seeded: Seeded): Record<string, string> {
  const workspace = `/workspaces/${seeded.workspace}`;
  const own = `${workspace}/functions/${seeded.function}`;
  const executions = `${own}/executions?execution=${seeded.execution}`;
  return {
    workspaces: "/",
    "create-workspace": "/?dialog=create",
    overview: workspace,
    functions: `${workspace}/functions`,
    "new-function": `${workspace}/functions/new`,
    builds: `${workspace}/builds`,
    logs: `${workspace}/logs`,
    "workspace-settings": `${workspace}/settings`,
    "function-overview": own,
    "function-code": `${own}/code`,
    "function-draft": `${own}/code?execution=${seeded.execution}`,
    "function-deploy": `${own}/deploy`,
    "function-task": `${own}/deploy?task=${seeded.task}`,
    "function-failed": `${workspace}/functions/${seeded.broken}/deploy`,
    "function-version": `${own}/versions/2?against=1`,
    "function-test": `${own}/test`,
    "function-executions": `${own}/executions`,
    "function-execution": executions,
    "function-replay": `${executions}&replay=${seeded.replay}`,
    "function-logs": `${own}/logs`,
    "function-metrics": `${own}/metrics`,
    "function-settings": `${own}/settings`,
    "not-found": "/nowhere",
  };
}
