// What people do to the simulated old systems, over their control ports.
import type { Hub } from './hub.ts';

export interface NewOrder {
  readonly externalRef: string;
  readonly subject: string;
  readonly content?: string;
  readonly kind?: string;
  readonly areaCode: string;
  readonly address?: string;
  readonly receiptNo?: string;
  readonly itemCode?: string;
  readonly acceptTime?: string;
}

export interface Faults {
  readonly latencyMs?: number;
  readonly refuse?: boolean;
  readonly garbage?: boolean;
  readonly duplicate?: boolean;
  readonly outOfOrder?: boolean;
  readonly half?: boolean;
}

export type SystemName = 'hotline' | 'grid' | 'police';

/** The base of a simulator's control paths. */
function controlUrl(hub: Hub, system: SystemName): string {
  const url = { hotline: hub.urls.hotline, grid: hub.urls.gridControl, police: hub.urls.policeControl }[
    system
  ];
  return `${new URL(url ?? '').origin}/_control`;
}

async function control<Answer>(
  hub: Hub,
  system: SystemName,
  path: string,
  method = 'GET',
  body?: unknown,
): Promise<Answer> {
  const response = await fetch(`${controlUrl(hub, system)}${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  if (!response.ok)
    throw new Error(`${system} ${method} ${path}: ${response.status} ${await response.text()}`);
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as Answer;
}

/** Somebody calls the hotline; returns the order's number. */
export async function callHotline(hub: Hub, order: NewOrder): Promise<string> {
  const [made] = await control<readonly { orderNo: string }[]>(hub, 'hotline', '/orders', 'POST', [order]);
  if (made === undefined) throw new Error('the hotline made no order');
  return made.orderNo;
}

export function moveOrder(hub: Hub, orderNo: string, state: string): Promise<unknown> {
  return control(hub, 'hotline', `/orders/${orderNo}/state`, 'POST', { state });
}

/** Somebody calls the police; returns the number on the receipt. */
export async function callPolice(hub: Hub, externalRef: string, place: string): Promise<string> {
  const [made] = await control<readonly { receiptNo: string }[]>(hub, 'police', '/cases', 'POST', [
    { externalRef, category: '01', place },
  ]);
  if (made === undefined) throw new Error('the police made no case');
  return made.receiptNo;
}

export function setFaults(hub: Hub, system: SystemName, faults: Faults): Promise<unknown> {
  return control(hub, system, '/faults', 'POST', faults);
}

export function clearFaults(hub: Hub, system: SystemName): Promise<unknown> {
  return control(hub, system, '/faults', 'DELETE');
}

export function statsOf<Stats>(hub: Hub, system: SystemName): Promise<Stats> {
  return control<Stats>(hub, system, '/stats');
}

export { control };
