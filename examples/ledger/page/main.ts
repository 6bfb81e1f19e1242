import { type Answer, verifyAccount } from "./verify-account.ts";

const form = find("form", HTMLFormElement);
const root = find("#root", HTMLInputElement);
const account = find("#account", HTMLInputElement);
const isTampered = find("#tamper", HTMLInputElement);
const output = find("output", HTMLOutputElement);

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void ask();
});

/** Asks for an account under the trusted root, and shows what the proof proves. */
async function ask(): Promise<void> {
  const query = new URLSearchParams({ root: root.value, account: account.value });
  try {
    const response = await fetch(`/proof?${query.toString()}`);
    if (!response.ok) throw new Error(await response.text());
    const answer = (await response.json()) as Answer;
    const verdict = verifyAccount(
      root.value,
      account.value,
      isTampered.checked ? lie(answer) : answer,
    );
    const text = verdict.kind === "balance" ? `proven: ${verdict.balance}` : "proven: no account";
    show(text, "proven");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? `${String(error.code)}: ` : "";
    show(`${code}${error instanceof Error ? error.message : String(error)}`, "refused");
  }
}

/** The answer of a server that adds one to a balance, or hides the account. */
function lie({ value, proof }: Answer): Answer {
  if (value === undefined) return { value: "0000000000000001", proof };
  const more = (BigInt(`0x${value}`) + 1n).toString(16).padStart(16, "0");
  return { value: more, proof };
}

function show(text: string, verdict: "proven" | "refused"): void {
  output.textContent = text;
  output.dataset["verdict"] = verdict;
}

function find<T extends Element>(selector: string, type: new () => T): T {
  const element = document.querySelector(selector);
  if (!(element instanceof type)) throw new TypeError(`the page has no ${selector}`);
  return element;
}
