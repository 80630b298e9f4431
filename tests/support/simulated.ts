// What people do to the simulated old systems, over their control ports.
import type { Hub } from './hub.ts';

export interface NewOrder {
  readonly externalRef: string;
  readonly subject: string;
  readonly content?: string;
  readonly kind?: string;
  readonly areaCode: string;
  readonly address?: string;
  /** CGCS2000, degrees. */
  readonly longitude?: number;
  readonly latitude?: number;
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

export type DepartmentName = 'urban-management' | 'human-resources' | 'market-supervision';
export type SystemName = 'hotline' | 'grid' | 'police';

/** The base of a simulator's control paths. */
function controlUrl(hub: Hub, system: SystemName | DepartmentName): string {
  const url = {
    hotline: hub.urls.hotline,
    grid: hub.urls.gridControl,
    police: hub.urls.policeControl,
    'urban-management': hub.urls.urbanManagementControl,
    'human-resources': hub.urls.humanResourcesControl,
    'market-supervision': hub.urls.marketSupervisionControl,
  }[system];
  return `${new URL(url ?? '').origin}/_control`;
}

async function control<Answer>(
  hub: Hub,
  system: SystemName | DepartmentName,
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

/** The people of a department do a step in their own system, in its own codes. */
export function moveWork(
  hub: Hub,
  department: DepartmentName,
  no: string,
  step: { readonly state: string; readonly reason?: string; readonly result?: string },
): Promise<unknown> {
  return control(hub, department, `/works/${no}/state`, 'POST', step);
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

export function statsOf<Stats>(hub: Hub, system: SystemName | DepartmentName): Promise<Stats> {
  return control<Stats>(hub, system, '/stats');
}

/** What the hotline has told who called of an order, in the order of its telling: its own book. */
export async function repliesOf(hub: Hub, orderNo: string): Promise<readonly { replyType: string }[]> {
  const replies = await control<{ orderNo: string; replyType: string }[]>(hub, 'hotline', '/replies');
  return replies.filter((reply) => reply.orderNo === orderNo);
}

export { control };
