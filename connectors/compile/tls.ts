// Decodes `tls`: the names of the secrets by which both ends of a connection show who they are.
import type { TlsPlan } from '../plan.ts';
import type { IssueList } from './build-issues.ts';
import type { Arguments } from './directive-arguments.ts';
import { readSecretName } from './secret-name.ts';

/** The argument `tls`; undefined when it is absent. An issue when it has a certificate without its key, or the reverse. */
export function readTls(given: Arguments, issues: IssueList): TlsPlan | undefined {
  const tls = given.object('tls');
  if (tls === undefined) return undefined;
  const nameOf = (name: string) => (tls.has(name) ? readSecretName(tls, name, issues) : undefined);
  if (tls.has('cert') !== tls.has('key')) {
    const [there, missing] = tls.has('cert') ? ['cert', 'key'] : ['key', 'cert'];
    issues.add(
      'MISSING_ARGUMENT',
      tls.node,
      `tls has '${there}' without '${missing}'`,
      'give both or neither',
    );
  }
  return { ca: nameOf('ca'), cert: nameOf('cert'), key: nameOf('key') };
}
