import type { Plugin } from "vite";

/** The dev server answers `/monitoring` as the gateway does: without a slash behind it. */
export function devAddresses(): Plugin {
  return {
    name: "runtail-dev-addresses",
    configureServer(server) {
      server.middlewares.use((request, _response, next) => {
        request.url = request.url?.replace(/^\/monitoring(?=$|[?#])/, "/monitoring/");
        next();
      });
    },
  };
}
