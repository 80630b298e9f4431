// Counts what a department is asked, since it was started.
import type { WebRequest } from '../web-server.ts';

export interface Meter {
  note(request: Pick<WebRequest, 'method' | 'path'>): void;
  read(): { readonly requests: Readonly<Record<string, number>>; readonly lastRequestAt: string | null };
}

export function openMeter(): Meter {
  const requests: Record<string, number> = {};
  let lastRequestAt: string | null = null;
  return {
    note({ method, path }) {
      const name = `${method} ${path}`;
      requests[name] = (requests[name] ?? 0) + 1;
      lastRequestAt = new Date().toISOString();
    },
    read: () => ({ requests, lastRequestAt }),
  };
}
