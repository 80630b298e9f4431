// What human resources needs of a broker, whichever it is.

/** Answers one request; undefined leaves it without an answer. Never rejects. */
export type AnswerRequest = (request: Buffer) => Promise<Buffer | undefined>;

export interface Broker {
  /** Resolves with whether the message is kept for its reader, or was read; never rejects. */
  tell(messageId: string, message: Buffer): Promise<boolean>;
  close(): Promise<void>;
}
