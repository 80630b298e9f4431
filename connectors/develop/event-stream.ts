// Server-sent events to the developer's page: the state of the folder, and every upstream call.
import type { FastifyReply } from 'fastify';

/** Pages that watch at once. */
const WATCHERS_MAX = 20;
const ALIVE_EVERY_MS = 15_000;

export interface EventStreams {
  /** Begins a stream with what is known now; answers 503 when there are too many. */
  open(reply: FastifyReply, first: readonly StreamEvent[]): void;
  send(event: StreamEvent): void;
  close(): void;
}

export interface StreamEvent {
  readonly event: 'state' | 'call';
  readonly data: unknown;
}

export function createEventStreams(): EventStreams {
  const watchers = new Set<FastifyReply['raw']>();
  const timer = setInterval(() => {
    for (const watcher of watchers) watcher.write(': alive\n\n');
  }, ALIVE_EVERY_MS);
  timer.unref();
  const write = (watcher: FastifyReply['raw'], { event, data }: StreamEvent) => {
    // A page that does not read is let go: what it missed is sent anew when it comes back.
    const isRead = watcher.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    if (!isRead && watcher.writableLength > 1_000_000) watcher.destroy();
  };
  return {
    open(reply, first) {
      if (watchers.size >= WATCHERS_MAX) {
        void reply.code(503).send({ message: `at most ${WATCHERS_MAX} pages may watch` });
        return;
      }
      reply.hijack();
      const { raw } = reply;
      raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      watchers.add(raw);
      raw.on('close', () => watchers.delete(raw));
      raw.on('error', () => watchers.delete(raw));
      for (const event of first) write(raw, event);
    },
    send(event) {
      for (const watcher of watchers) write(watcher, event);
    },
    close() {
      clearInterval(timer);
      for (const watcher of watchers) watcher.end();
    },
  };
}
