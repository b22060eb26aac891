/** The page of one execution, and several at once. Loaded apart from the rest by pages that show it later. */

export { ExecutionPage, type ExecutionPageProps } from "./ExecutionPage.tsx";
export { SeveralExecutions, type SeveralExecutionsProps, type SeveralView } from "./SeveralExecutions.tsx";
export { type AuthorBook, type ExecutionServices, ServicesContext, type ShareLink } from "./services.ts";
export { EXECUTION_STRINGS, type ExecutionStrings } from "./strings.ts";
