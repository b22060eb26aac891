/** Where there is no gateway to ask: a page that shows what a store holds, and no more. */

import type { RestApi } from "@runtail/client";

const refuse = (): Promise<never> => Promise.reject(new Error("there is no gateway to ask"));

export const NO_REST: RestApi = {
  execution: refuse,
  executions: refuse,
  logs: refuse,
  steps: refuse,
  cancel: refuse,
  remove: refuse,
  ask: refuse,
  startDemo: refuse,
  downloadUrl: () => "",
};
