// A stream of parts that tells when it is over, however it ends.

/** Calls back once: when the last part was taken, when the parts failed, or when no more are wanted. */
export function endingWith<Part>(
  parts: AsyncGenerator<Part, void, undefined>,
  onEnd: () => void,
): AsyncGenerator<Part, void, undefined> {
  let isOver = false;
  const end = () => {
    if (!isOver) onEnd();
    isOver = true;
  };
  const ending = async (step: Promise<IteratorResult<Part, void>>) => {
    try {
      const result = await step;
      if (result.done === true) end();
      return result;
    } catch (thrown) {
      end();
      throw thrown;
    }
  };
  // Not a generator of its own: one that was never begun would not run its `finally`.
  const wrapped: AsyncGenerator<Part, void, undefined> = {
    next: () => ending(parts.next()),
    return(value) {
      // At once: a generator that waits for its next part returns when that is there.
      end();
      return parts.return(value);
    },
    throw: (thrown) => ending(parts.throw(thrown)),
    [Symbol.asyncIterator]: () => wrapped,
    [Symbol.asyncDispose]: async () => void (await wrapped.return()),
  };
  return wrapped;
}
