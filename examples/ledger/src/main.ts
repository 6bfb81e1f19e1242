import { parseArgs } from "node:util";
import { toHex } from "./answer.ts";
import { accountName, openAccounts, openLedger, transfer } from "./ledger.ts";
import { promMetrics } from "./metrics.ts";
import { serve } from "./server.ts";

const { values } = parseArgs({
  options: {
    folder: { type: "string", default: "ledger-data" },
    accounts: { type: "string", default: "1000000" },
    port: { type: "string", default: "0" },
  },
});

const metrics = promMetrics();
const ledger = await openLedger(values.folder, metrics.hook);
const begin = performance.now();
await openAccounts(ledger, Number(values.accounts), (done) => {
  if (done % 100_000 === 0) print(`${done} accounts, ${Math.round(performance.now() - begin)} ms`);
});
print(`${ledger.size} accounts`);
await transfer(ledger, accountName(1), accountName(0), 1n);

const server = await serve(ledger, metrics.text, Number(values.port));
print(`root ${toHex(ledger.root)}`);
print(`open ${server.url} and give the page this root; stop with Ctrl-C`);
process.once("SIGINT", () => void stop());

async function stop(): Promise<void> {
  await server.close();
  await ledger.close();
  await ledger.store.close();
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
