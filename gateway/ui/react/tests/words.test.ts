import type { Completeness, Link } from "@runtail/client";
import { expect, test } from "vitest";
import { connectionDetails, type Standing } from "../src/connection.ts";
import { ENGLISH, replaceStrings } from "../src/strings.ts";
import { linkWords, spokenWords } from "../src/words.ts";

const NOW = 100_000;

const standing = (link: Link, changed: Partial<Standing> = {}): Standing => ({
  link,
  lastSeq: 12,
  lastHeardAt: NOW - 4_000,
  lastRecordAt: NOW - 60_000,
  workers: { open: 1, silent: 0 },
  completeness: { state: "running" },
  ...changed,
});

const LIVE: Link = { phase: "live" };
const ended = (completeness: Completeness): Standing => standing({ phase: "ended" }, { completeness });

test.each<[string, Standing, string]>([
  ["the first try", standing({ phase: "connecting", attempt: 0 }), "connecting"],
  ["a later try", standing({ phase: "connecting", attempt: 3 }), "reconnecting, try 3"],
  ["a wait between tries", standing({ phase: "retrying", attempt: 3, retryAt: NOW + 4_001, code: 1006 }), "reconnecting, try 3 in 5 s"],
  ["a wait that is over", standing({ phase: "retrying", attempt: 3, retryAt: NOW - 900, code: 1006 }), "reconnecting, try 3 in 0 s"],
  ["history coming", standing({ phase: "replaying", upTo: 12_431 }), "catching up, line 12 of 12,431"],
  ["history of an empty log", standing({ phase: "replaying", upTo: 0 }), "live · waiting for the first record"],
  ["a record a moment ago", standing(LIVE, { lastRecordAt: NOW - 2_999 }), "live"],
  ["quiet, but heard", standing(LIVE), "live · quiet, last heard 4 s ago"],
  ["quiet, heard this moment", standing(LIVE, { lastHeardAt: NOW - 10 }), "live · quiet, last heard just now"],
  ["no record yet", standing(LIVE, { lastSeq: 0 }), "live · waiting for the first record"],
  ["a silent worker", standing(LIVE, { workers: { open: 2, silent: 1 } }), "worker silent · last record 1 min 00 s ago"],
  ["a worker that is silent at once", standing(LIVE, { workers: { open: 1, silent: 1 }, lastRecordAt: NOW }), "worker silent"],
  ["workers not known now", standing(LIVE, { workers: null, lastRecordAt: NOW }), "live"],
  ["signed out", standing({ phase: "signed_out", code: 4402, message: "expired" }), "signed out"],
  ["refused", standing({ phase: "refused", code: 4404, reason: "not_found", message: "no execution x" }), "refused: no execution x"],
  ["refused without a word", standing({ phase: "refused", code: 4400, reason: "", message: "" }), "refused"],
  ["complete", ended({ state: "complete", records: 12_431 }), "ended · complete, 12,431 lines"],
  ["complete, one line", ended({ state: "complete", records: 1 }), "ended · complete, 1 line"],
  ["lines missing", ended({ state: "missing", records: 1_000, lost: 3, ranges: [[5, 7]] }), "ended · 3 of 1,000 lines missing"],
  ["an unknown number missing", ended({ state: "missing", records: 1_000, lost: null, ranges: [] }), "ended · some lines are missing"],
  ["an end without totals", ended({ state: "running" }), "ended"],
  ["nobody watches", standing({ phase: "closed" }), "not connected"],
])("%s is told in words", (_name, at, words) => {
  expect(linkWords(at, NOW, ENGLISH)).toBe(words);
});

test("without a clock, as on a server, nothing is said that only time changes", () => {
  expect(linkWords(standing(LIVE), null, ENGLISH)).toBe("live");
  expect(linkWords(standing({ phase: "retrying", attempt: 2, retryAt: NOW, code: 1006 }), null, ENGLISH)).toBe("reconnecting, try 2");
});

test("a screen reader is not told seconds that tick", () => {
  const retrying = (retryAt: number): Standing => standing({ phase: "retrying", attempt: 2, retryAt, code: 1006 });
  expect(spokenWords(retrying(NOW), ENGLISH)).toBe(spokenWords(retrying(NOW + 9_000), ENGLISH));
  expect(spokenWords(standing(LIVE), ENGLISH)).toBe("live");
  expect(spokenWords(standing(LIVE, { workers: { open: 1, silent: 1 } }), ENGLISH)).toBe("worker silent");
  expect(spokenWords(standing({ phase: "replaying", upTo: 9 }), ENGLISH)).toBe("connecting");
});

test("every word can be replaced, also the plurals, and what is not named stays", () => {
  const german = replaceStrings(ENGLISH, { link: { live: "läuft", ended: () => "beendet" }, status: { running: "läuft" } });
  expect(linkWords(standing(LIVE, { lastRecordAt: NOW }), NOW, german)).toBe("läuft");
  expect(linkWords(ended({ state: "complete", records: 2 }), NOW, german)).toBe("beendet");
  expect(linkWords(standing({ phase: "signed_out", code: 4401, message: "" }), NOW, german)).toBe("signed out");
  expect(german.status).toEqual({ ...ENGLISH.status, running: "läuft" });
  expect(ENGLISH.link.live).toBe("live");
});

test.each<[string, Standing, object]>([
  ["live", standing(LIVE), { lastHeardMs: 4_000, retryInMs: null, attempt: 0, workerSilentMs: null, signedOut: false, ended: false }],
  ["that never heard anything", standing({ phase: "connecting", attempt: 0 }, { lastHeardAt: 0 }), { lastHeardMs: null, attempt: 0 }],
  ["that waits for its next try", standing({ phase: "retrying", attempt: 3, retryAt: NOW + 4_001, code: 1006 }), { lastHeardMs: 4_000, retryInMs: 4_001, attempt: 3 }],
  ["whose wait is over", standing({ phase: "retrying", attempt: 3, retryAt: NOW - 1, code: 1006 }), { retryInMs: 0, attempt: 3 }],
  ["that tries", standing({ phase: "connecting", attempt: 3 }), { retryInMs: null, attempt: 3 }],
  ["with a silent worker", standing(LIVE, { workers: { open: 2, silent: 1 } }), { workerSilentMs: 60_000 }],
  ["that is cut does not know of its workers", standing({ phase: "retrying", attempt: 1, retryAt: NOW, code: 1006 }, { workers: { open: 1, silent: 1 } }), { workerSilentMs: null }],
  ["that is signed out", standing({ phase: "signed_out", code: 4402, message: "" }), { signedOut: true, ended: false }],
  ["that has ended", ended({ state: "complete", records: 3 }), { ended: true, signedOut: false, attempt: 0 }],
])("a connection %s is told in figures", (_name, at, figures) => {
  expect(connectionDetails(at, NOW)).toMatchObject(figures);
});

test("without a clock no figure is told that time changes, and still what is known", () => {
  const silent = standing(LIVE, { workers: { open: 1, silent: 1 } });
  expect(connectionDetails(silent, null)).toMatchObject({ lastHeardMs: null, retryInMs: null, workerSilentMs: 0 });
});
