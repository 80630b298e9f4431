// What people do in the old systems themselves, over the control ports of the simulated ones.
import { OperatorError } from '@weft/core/errors';
import { z } from 'zod';

export const DEPARTMENTS = {
  'urban-management': { label: '城管', control: 'urbanManagementControl' },
  'human-resources': { label: '人社', control: 'humanResourcesControl' },
  'market-supervision': { label: '市监', control: 'marketSupervisionControl' },
} as const;

export type DepartmentName = keyof typeof DEPARTMENTS;

export interface Hotline {
  /** Somebody calls. @returns the number of the order */
  call(order: Readonly<Record<string, unknown>>): Promise<string>;
}

export interface Department {
  readonly label: string;
  /** Its people go a step further with a piece of work, in the codes of their system. */
  move(
    no: string,
    step: { readonly state: string; readonly reason?: string; readonly result?: string },
  ): Promise<void>;
  /** Its people leave all work alone for so long; 0: no longer, as far as this holder goes. */
  sendAway(awayMs: number): Promise<void>;
}

const ANSWER_MS_MAX = 10_000;
const ORDERS = z.array(z.object({ orderNo: z.string() })).min(1);

type Urls = Readonly<Record<string, string>>;

/** @param urls of the running hub, by name */
export function openHotline(urls: Urls): Hotline {
  const url = controlOf(urls, 'hotlineControl', '12345 hotline');
  return {
    async call(order) {
      const made = ORDERS.safeParse(await post(`${url}/orders`, [order]));
      const [first] = made.data ?? [];
      if (first === undefined) throw new OperatorError(`${url}: the hotline made no order`);
      return first.orderNo;
    },
  };
}

/** @param holder under which its people are sent away */
export function openDepartment(urls: Urls, name: DepartmentName, holder: string): Department {
  const { label, control } = DEPARTMENTS[name];
  const url = controlOf(urls, control, name);
  return {
    label,
    async move(no, step) {
      await post(`${url}/works/${no}/state`, step);
    },
    async sendAway(awayMs) {
      await post(`${url}/people`, { holder, awayMs });
    },
  };
}

function controlOf(urls: Urls, name: string, system: string): string {
  const url = urls[name];
  if (url === undefined)
    throw new OperatorError(
      `the hub has no simulated ${system}: a story is played where 'weft up' has started them`,
    );
  return url;
}

async function post(url: string, body: unknown): Promise<unknown> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    const text = await response.text();
    if (!response.ok) throw new OperatorError(`${url}: HTTP ${response.status} ${text}`);
    return JSON.parse(text);
  } catch (cause) {
    if (cause instanceof OperatorError) throw cause;
    throw new OperatorError(`${url} does not answer: ${(cause as Error).message}`, { cause });
  }
}
