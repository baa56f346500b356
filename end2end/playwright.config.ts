import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { defineConfig } from "@playwright/test";
import type { Expectations } from "./support/fixtures";

const repository = resolve(__dirname, "..");
const debug = join(repository, "target", "debug");

/** Ports nobody listens on: console and functions of the embedded server, and of the one in cloud mode. */
function freePorts(): string[] {
  const program = `
    const net = require("node:net");
    const servers = [0, 1, 2, 3].map(() => net.createServer());
    let open = 0;
    for (const server of servers) server.listen(0, "127.0.0.1", () => {
      if (++open < servers.length) return;
      process.stdout.write(servers.map((s) => s.address().port).join(" "));
      servers.forEach((s) => s.close());
    });`;
  return execFileSync(process.execPath, ["-e", program], { encoding: "utf8" }).split(" ");
}

// This file is read by the main process and again by every worker. The workers inherit the main one's environment, so only
// the main process finds it unset: it chooses the ports and owns the data directory.
if (!process.env.BLUE_FAAS_END2END_PORTS) {
  const data = mkdtempSync(join(tmpdir(), "blue-faas-end2end-"));
  process.on("exit", () => rmSync(data, { recursive: true, force: true }));
  process.env.BLUE_FAAS_END2END_DATA = data;
  process.env.BLUE_FAAS_END2END_PORTS = freePorts().join(" ");
}
const [consolePort, functionsPort, cloudPort, cloudFunctionsPort] = process.env.BLUE_FAAS_END2END_PORTS.split(" ");
const address = `http://127.0.0.1:${consolePort}`;
const cloudAddress = `http://127.0.0.1:${cloudPort}`;
const site = join(debug, "site");
/** These need a server in cloud mode. */
const inCloudMode = /cloud\.spec\.ts$/;

export default defineConfig<Expectations>({
  testDir: "tests",
  outputDir: "test-results",
  // A journey waits for a real build, which takes 10 s of CPU.
  timeout: 240_000,
  // As long as a machine that is ten times slower takes for what is there in a second.
  expect: { timeout: 30_000 },
  // The tests share one server, and one build already fills two cores. A test that passes only at the second try is a bug.
  workers: 1,
  retries: 0,
  forbidOnly: true,
  reporter: [["list"]],
  use: {
    baseURL: address,
    browserName: "chromium",
    locale: "en-US",
    // Not the server's zone: a time that server and browser render differently breaks hydration, and shows here.
    timezoneId: "America/New_York",
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: [
        "--no-sandbox", // a container's root has no sandbox; only our own pages are opened
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
  projects: [
    { name: "hydrated", testIgnore: inCloudMode, grepInvert: /@only-without-javascript/ },
    { name: "no-javascript", testIgnore: inCloudMode, grep: /@(also|only)-without-javascript/, use: { javaScriptEnabled: false } },
    { name: "cloud", testMatch: inCloudMode, use: { baseURL: cloudAddress } },
    {
      name: "cloud-no-javascript",
      testMatch: inCloudMode,
      grep: /@(also|only)-without-javascript/,
      use: { baseURL: cloudAddress, javaScriptEnabled: false },
    },
  ],
  webServer: [{
    // exec: the signal at the end must reach the server, not a shell around it.
    command: `exec '${process.env.BLUE_FAAS_EXECUTABLE ?? join(debug, "blue-faas")}'`,
    cwd: repository,
    url: `${address}/health`,
    reuseExistingServer: false,
    timeout: 60_000,
    gracefulShutdown: { signal: "SIGTERM", timeout: 10_000 },
    env: {
      LOG_LEVEL: "WARN",
      BLUE_FAAS_ADDR: `127.0.0.1:${consolePort}`,
      BLUE_FAAS_FUNCTIONS_ADDR: `127.0.0.1:${functionsPort}`,
      BLUE_FAAS_DATA_DIR: process.env.BLUE_FAAS_END2END_DATA!,
      BLUE_FAAS_SITE: site,
      // The first journey builds anyway; two builds at once would only slow both.
      BLUE_FAAS_WARM_UP: "off",
    },
  }, {
    // What stands for AWS and for the cluster is written in Rust, for the integration tests.
    command: "exec cargo nextest run --locked --features ssr --run-ignored only --no-capture -E 'test(=cluster::serve_in_cloud_mode)'",
    cwd: repository,
    url: `${cloudAddress}/health`,
    reuseExistingServer: false,
    timeout: 300_000,
    gracefulShutdown: { signal: "SIGTERM", timeout: 10_000 },
    env: {
      BLUE_FAAS_ADDR: `127.0.0.1:${cloudPort}`,
      BLUE_FAAS_FUNCTIONS_ADDR: `127.0.0.1:${cloudFunctionsPort}`,
      BLUE_FAAS_SITE: site,
    },
  }],
});
