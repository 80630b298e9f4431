// Loads incidents for the one who asks: what they may not see does not exist for them.
import type { Actor } from './actor.ts';
import { isVisible } from './authority.ts';
import type { Incident } from './generated/client.ts';
import { governed } from './governed.ts';
import type { IncidentLoaders } from './loaders.ts';

export interface Viewing {
  readonly loaders: IncidentLoaders;
  readonly actor: Actor;
}

/** Null for what is not there, and for what is not for them. */
export async function loadVisible({ loaders, actor }: Viewing, id: string): Promise<Incident | null> {
  const incident = await loaders.incidents.load(id);
  if (incident === null) return null;
  // Most are for everybody: who reported them need not be read for that.
  if (isVisible(actor, governed({ ...incident, reporters: [] }))) return incident;
  const reporters = await loaders.reporters.load(id);
  return isVisible(actor, governed({ ...incident, reporters: [...reporters] })) ? incident : null;
}
