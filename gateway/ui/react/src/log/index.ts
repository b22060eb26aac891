export type { Dressing, Mark, Prefix } from "./dressing.ts";
export { type LogControls, LogView, type LogViewProps } from "./LogView.tsx";
export { EVERYTHING, filters, hashOf, LEVELS, type LogFilter, type Place, placeOf } from "./place.ts";
export type { Range } from "./rows.ts";
export { type LogStrings, STRINGS as LOG_STRINGS } from "./strings.ts";
export { TIME_FORMATS, type TimeFormat } from "./times.ts";
