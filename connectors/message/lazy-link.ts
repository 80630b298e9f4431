// A connection that is made when it is first needed, shared while it lasts, and made again when it is needed after that.

/** Something that is open until it ends. */
export interface Link {
  /** Resolves when it has ended, with why; never rejects. */
  readonly ended: Promise<Error>;
  close(): Promise<void>;
}

export interface LazyLink<Made extends Link> {
  /**
   * The link that is open, or a new one.
   * @throws what opening it throws, or the signal's reason
   */
  get(signal: AbortSignal): Promise<Made>;
  close(): Promise<void>;
}

/** @param open makes a link; it gives up by itself after a while */
export function lazyLink<Made extends Link>(open: () => Promise<Made>): LazyLink<Made> {
  let current: Promise<Made> | undefined;
  const start = (): Promise<Made> => {
    const opening = open();
    const forget = () => {
      if (current === opening) current = undefined;
    };
    opening.then((link) => void link.ended.then(forget), forget);
    current = opening;
    return opening;
  };
  return {
    get: (signal) => orAborted(current ?? start(), signal),
    async close() {
      // One that could not be opened needs no closing.
      await current?.then(
        (link) => link.close(),
        () => undefined,
      );
    },
  };
}

/** The result of `work`, unless the signal aborts before. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const leave = () => reject(signal.reason);
  signal.addEventListener('abort', leave, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
