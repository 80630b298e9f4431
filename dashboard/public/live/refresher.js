// Runs a re-read when asked to, but never two at once, never more often than allowed, and again when it failed.

const RETRY_MS = 5_000;

/**
 * @param {() => Promise<void>} read @param {{ everyMsMin: number, onFailure: (reason: string | null) => void }} options
 *   everyMsMin: from the end of one read to the start of the next; onFailure: null when a read went well
 * @returns {{ request: () => void }}
 */
export function createRefresher(read, { everyMsMin, onFailure }) {
  let isWanted = false;
  let isBusy = false;

  const run = async () => {
    isBusy = true;
    isWanted = false;
    let pauseMs = everyMsMin;
    try {
      await read();
      onFailure(null);
    } catch (thrown) {
      onFailure(thrown instanceof Error ? thrown.message : String(thrown));
      isWanted = true;
      pauseMs = Math.max(everyMsMin, RETRY_MS);
    }
    setTimeout(() => {
      isBusy = false;
      if (isWanted) void run();
    }, pauseMs);
  };
  return {
    request() {
      isWanted = true;
      if (!isBusy) void run();
    },
  };
}
