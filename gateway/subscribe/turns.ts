// What is to be done for many, who come back or are cut off together, is done for some in each turn of the event loop: the others wait no longer for it.

export class Turns {
  readonly #inOneMax: number;
  #waiting: (() => void)[] = [];
  #isScheduled = false;

  /** @param inOneMax who go on in one turn of the event loop */
  constructor(inOneMax: number) {
    this.#inOneMax = inOneMax;
  }

  /** Resolves in a later turn, in the order of the calls. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      for (const goOn of this.#waiting.splice(0, this.#inOneMax)) goOn();
      if (this.#waiting.length > 0) this.#schedule();
    });
  }
}
