import { RuntailLog } from "./runtail-log.tsx";

if (customElements.get("runtail-log") === undefined) customElements.define("runtail-log", RuntailLog);
