// Payloads that were made for those who are behind: two thousand who come back to one place cost one execution an event.
import type { FanOutLimits } from './limits.ts';
import type { GroupPayload } from './payload.ts';

export class PayloadMemo {
  readonly #limits: Pick<FanOutLimits, 'recentPayloadsMax' | 'recentCharsMax'>;
  #payloads = new Map<string, { readonly made: Promise<GroupPayload>; length: number }>();
  #chars = 0;

  constructor(limits: Pick<FanOutLimits, 'recentPayloadsMax' | 'recentCharsMax'>) {
    this.#limits = limits;
  }

  /** @param make must not reject */
  get(key: string, make: () => Promise<GroupPayload>): Promise<GroupPayload> {
    const known = this.#payloads.get(key);
    if (known !== undefined) return known.made;
    const made = make();
    const kept = { made, length: 0 };
    const payloads = this.#payloads;
    payloads.set(key, kept);
    void made.then(({ length }) => {
      if (payloads !== this.#payloads || payloads.get(key) !== kept) return;
      kept.length = length;
      this.#chars += length;
      this.#bound();
    });
    this.#bound();
    return made;
  }

  startAnew(): void {
    this.#payloads = new Map();
    this.#chars = 0;
  }

  #bound(): void {
    const { recentPayloadsMax, recentCharsMax } = this.#limits;
    for (const [key, { length }] of this.#payloads) {
      if (this.#payloads.size <= recentPayloadsMax && this.#chars <= recentCharsMax) return;
      this.#payloads.delete(key);
      this.#chars -= length;
    }
  }
}
