// Reads the name of a secret, and refuses what looks like the secret itself.
import type { IssueList } from './build-issues.ts';
import type { Arguments } from './directive-arguments.ts';

const SECRET_NAME = /^[a-z0-9-]+$/;

/** The text of a required argument; an issue, which does not repeat it, when it is no name of a secret. */
export function readSecretName(given: Arguments, name: string, issues: IssueList): string {
  const secret = given.requiredText(name);
  if (!SECRET_NAME.test(secret)) {
    const mend = 'give the name under which the secret store has it: small letters, digits and -';
    issues.add('SECRET_IN_CLEAR', given.nodeOf(name), `'${name}' is no name of a secret`, mend);
  } else issues.secrets.add(secret);
  return secret;
}
