import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, verifyAccount } from "../page/verify-account.ts";
import {
  accountName,
  type Ledger,
  openAccounts,
  openingBalance,
  openLedger,
  transfer,
} from "../src/ledger.ts";
import { promMetrics } from "../src/metrics.ts";
import { bundlePage, type RunningServer, serve } from "../src/server.ts";

const ACCOUNT_COUNT = 25_000;

describe("the ledger and the page that trusts only a root", () => {
  const folder = mkdtempSync(join(tmpdir(), "ledger-"));
  const metrics = promMetrics();
  let ledger: Ledger;
  let server: RunningServer;

  beforeAll(async () => {
    ledger = await openLedger(folder, metrics.hook);
    await openAccounts(ledger, ACCOUNT_COUNT);
    server = await serve(ledger, metrics.text);
  });

  afterAll(async () => {
    await server.close();
    await ledger.close();
    await ledger.store.close();
    rmSync(folder, { recursive: true });
  });

  const rootNow = async (): Promise<string> => (await fetch(`${server.url}/root`)).text();
  const ask = async (root: string, account: string): Promise<Answer> => {
    const query = new URLSearchParams({ root, account });
    return (await (await fetch(`${server.url}/proof?${query.toString()}`)).json()) as Answer;
  };

  it("proves a balance", async () => {
    const root = await rootNow();
    const verdict = verifyAccount(root, accountName(42), await ask(root, accountName(42)));
    expect(verdict).toEqual({ kind: "balance", balance: openingBalance(42) });
  });

  it("proves that there is no such account", async () => {
    const root = await rootNow();
    expect(verifyAccount(root, "nobody", await ask(root, "nobody"))).toEqual({
      kind: "no-account",
    });
  });

  it("still proves what was true under an earlier root, and not under the present one", async () => {
    const before = await rootNow();
    await transfer(ledger, accountName(7), accountName(8), 5n);
    const after = await rootNow();
    const old = await ask(before, accountName(7));
    expect(verifyAccount(before, accountName(7), old)).toEqual({
      kind: "balance",
      balance: openingBalance(7),
    });
    expect(() => verifyAccount(after, accountName(7), old)).toThrow(
      expect.objectContaining({ code: "JELLYFISH_PROOF_ROOT" }),
    );
    const now = verifyAccount(after, accountName(7), await ask(after, accountName(7)));
    expect(now).toEqual({ kind: "balance", balance: openingBalance(7) - 5n });
  });

  it("refuses a balance that is not the one that was proven", async () => {
    const root = await rootNow();
    const { proof } = await ask(root, accountName(9));
    const lie = { value: "00000000ffffffff", proof };
    expect(() => verifyAccount(root, accountName(9), lie)).toThrow(
      expect.objectContaining({ code: "JELLYFISH_PROOF_VALUE" }),
    );
    expect(() => verifyAccount(root, accountName(9), { proof })).toThrow(
      expect.objectContaining({ code: "JELLYFISH_PROOF_KIND" }),
    );
  });

  it("refuses transfers that the accounts do not allow, and changes nothing", async () => {
    const root = await rootNow();
    await expect(transfer(ledger, accountName(1), "nobody", 1n)).rejects.toThrow(RangeError);
    await expect(transfer(ledger, accountName(1), accountName(2), 10n ** 12n)).rejects.toThrow(
      RangeError,
    );
    expect(await rootNow()).toBe(root);
  });

  it("serves a page whose script imports nothing and holds little but the verifier", async () => {
    const page = await (await fetch(server.url)).text();
    const script = await (await fetch(`${server.url}/page.js`)).text();
    expect(page).toContain('src="/page.js"');
    expect(script).toBe(await bundlePage());
    expect(script).not.toMatch(/\bimport\b/);
    expect(gzipSync(script).length).toBeLessThan(9000);
  });

  it("answers a root that it does not keep with an error", async () => {
    const query = new URLSearchParams({ root: "00".repeat(32), account: "a" });
    const response = await fetch(`${server.url}/proof?${query.toString()}`);
    expect(response.status).toBe(400);
  });

  it("counts its updates as histograms", async () => {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    expect(text).toMatch(/smt_puts_latency_seconds_count\{fn_name="batch"\} [1-9]/);
    expect(text).toMatch(/smt_get_with_proof_bytes_count\{fn_name="getWithProof"\} [1-9]/);
  });
});
