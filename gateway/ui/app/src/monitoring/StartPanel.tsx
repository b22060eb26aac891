/** Starting an execution, loaded when somebody wants to. */
export { StartDialog } from "@runtail/react";
