import { test as base, expect, type Page } from "@playwright/test";

export { expect };

/**
 * Tags of a test. `withoutJavaScript`: it runs a second time with JavaScript off. `onlyWithoutJavaScript`: it runs only so.
 */
export const withoutJavaScript = { tag: "@also-without-javascript" };
export const onlyWithoutJavaScript = { tag: "@only-without-javascript" };

export type Expectations = {
  /**
   * What the browser's console may say in this test. A refused request is an error there (`Failed to load resource … 409`),
   * so a test of a refusal names it: `test.use({ expectedMessages: [/status of 409/] })`.
   */
  expectedMessages: RegExp[];
};

type Steps = {
  /** Opens an address and waits until the page reacts: what is clicked earlier would be lost. */
  visit: (address: string) => Promise<void>;
  /** A name no other test uses, also not this one's run in the other project: they share a server. */
  named: (name: string) => string;
};

/** The view marks the page once it is hydrated. Without JavaScript there is nothing to wait for. */
export async function waitForHydration(page: Page): Promise<void> {
  await page.locator("body[data-hydrated=true]").waitFor();
}

export const test = base.extend<Expectations & Steps>({
  expectedMessages: [[], { option: true }],

  page: async ({ page, expectedMessages, javaScriptEnabled }, use) => {
    const complaints: string[] = [];
    // A page asks for its scripts early; where none run, the browser says that they were not used.
    const expected = javaScriptEnabled === false ? [...expectedMessages, /was preloaded using link preload/] : expectedMessages;
    const complain = (text: string) => {
      if (!expected.some((message) => message.test(text))) complaints.push(text);
    };
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") {
        complain(`${message.type()}: ${message.text()} (${message.location().url})`);
      }
    });
    page.on("pageerror", (error) => complain(`uncaught: ${error}`));
    await use(page);
    // Hydration that went wrong says so here; the page often looks right all the same.
    expect(complaints, "the browser's console stays silent").toEqual([]);
  },

  visit: async ({ page, javaScriptEnabled }, use) => {
    await use(async (address) => {
      await page.goto(address);
      if (javaScriptEnabled !== false) await waitForHydration(page);
    });
  },

  named: async ({}, use, testInfo) => {
    await use((name) => `${name} ${testInfo.project.name} ${Date.now().toString(36)}`);
  },
});
