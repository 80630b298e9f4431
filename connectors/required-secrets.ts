// That every secret is there which some system needs, before any of them is opened.
import { requireSecrets, type Secrets } from '@weft/core/secrets';
import type { SystemPlan } from './plan.ts';

/** @throws OperatorError, one line, naming all that are missing and the systems that need each */
export function requireSecretsOf(
  systems: readonly Pick<SystemPlan, 'name' | 'secrets'>[],
  secrets: Secrets,
): void {
  const needed = systems.flatMap(({ name: system, secrets: names = [] }) =>
    names.map((name) => ({ system, name })),
  );
  const byName = Map.groupBy(needed, ({ name }) => name);
  requireSecrets(secrets, new Map([...byName].map(([name, all]) => [name, all.map(({ system }) => system)])));
}
