// Memory that frames are written into: used again for the next one as soon as the kernel has the last.

/** Memory that is taken in one piece; what is longer has memory of its own. */
const SLAB_BYTES = 131_072;

/**
 * Nearly every write is taken by the kernel before it returns, and its memory is free then: a buffer for each would be megabytes a
 * second that only a collection of the whole heap gives back. What the kernel does not take at once stays where it is.
 */
export class Slab {
  #bytes: Buffer | undefined;
  #at = 0;

  take(length: number): Buffer {
    if (length > SLAB_BYTES) return Buffer.allocUnsafeSlow(length);
    if (this.#bytes === undefined || this.#at + length > SLAB_BYTES) {
      this.#bytes = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#at = 0;
    }
    const piece = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return piece;
  }

  /** @param piece that nobody reads any more; only the last that was taken is used again */
  giveBack(piece: Buffer): void {
    if (piece.buffer === this.#bytes?.buffer && piece.byteOffset + piece.length === this.#at)
      this.#at -= piece.length;
  }
}
