// Waiting for something to become true, with a deadline: tests never sleep for a guessed time.

const POLL_MS = 20;

/** Calls `attempt` until it returns something else than undefined or false, and returns that; throws after `msMax`. */
export async function waitFor<Value>(
  what: string,
  attempt: () => Promise<Value | undefined | false> | Value | undefined | false,
  msMax = 30_000,
): Promise<Value> {
  const until = performance.now() + msMax;
  let last: unknown;
  for (;;) {
    try {
      const value = await attempt();
      if (value !== undefined && value !== false) return value;
      last = value;
    } catch (thrown) {
      last = thrown;
    }
    if (performance.now() > until) {
      throw new Error(
        `waited ${msMax} ms in vain for ${what}; last: ${last instanceof Error ? last.message : String(last)}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
