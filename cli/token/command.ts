// `weft token`: prints a token for a demo, of a person with the roles that the domain knows.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { OperatorError } from '@weft/core/errors';
import { DEPARTMENT, DIVISION } from '@weft/gateway/identity/claims';
import { homeDirectory } from '../checkout.ts';
import { type DevelopmentClaims, openIssuer } from './issuer.ts';

/** Who works with the hub. */
export const ROLES = {
  leader: '领导, of a centre at any level',
  'duty-officer': '值班席, who accepts and routes incidents at the command centre',
  operator: '业务人员 of the centre or of a department',
  'centre-staff': '综治网格服务中心人员',
  'stationed-agency': '派驻机构人员',
  'department-handler': '职能部门经办人',
  'grid-head': '网格长',
  'grid-worker': '网格员',
  volunteer: '志愿者',
  citizen: '群众',
  auditor: '审计人员, who reads and changes nothing',
  'party-member': '党员',
  public: '公众',
  'registry-admin': '系统登记管理员, who lets systems into the graph and out of it',
} as const;

/** Whose office is in a department and nowhere else. */
const HANDLER_ROLES: ReadonlySet<string> = new Set(['department-handler', 'stationed-agency']);
const LIFETIME_S_MAX = 86_400;
const LIFETIME_S = 3_600;

/** Writes the token and nothing else to standard output. @throws OperatorError naming what is wrong */
export async function tokenCommand(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const claims = readClaims(argv);
  const home = homeDirectory(env);
  const isKnown = existsSync(join(home, 'issuer', 'key.json'));
  const token = await openIssuer(home, env.NODE_ENV).sign(claims);
  // The token alone is standard output: it is caught by a shell.
  if (!isKnown)
    process.stderr.write(
      `weft token: no hub has run in ${home}: only one that is started there will take this token\n`,
    );
  const lacking = whatLacks(claims);
  if (lacking !== undefined) process.stderr.write(`weft token: ${lacking}\n`);
  process.stdout.write(`${token}\n`);
}

/** Why a token that holds is of no use: who handles for a department must say for which. */
function whatLacks({ roles, department }: DevelopmentClaims): string | undefined {
  const handler = roles.find((role) => HANDLER_ROLES.has(role));
  if (handler === undefined || department !== undefined) return undefined;
  return `a ${handler} acts for a department: without --department CODE nothing is theirs to do`;
}

function readClaims(argv: readonly string[]): DevelopmentClaims {
  const values = parse(argv);
  const roles = values.role ?? [];
  const unknown = roles.find((role) => !Object.hasOwn(ROLES, role));
  if (unknown !== undefined)
    throw wrong(`--role: there is no ${unknown}; expected ${Object.keys(ROLES).join(', ')}`);
  const { division } = values;
  if (division !== undefined && !DIVISION.test(division))
    throw wrong('--division: expected a code of GB/T 2260, such as 320508');
  const { department } = values;
  if (department !== undefined && !DEPARTMENT.test(department))
    throw wrong('--department: expected a code such as urban-management');
  const lifetimeS = Number(values.lifetime ?? LIFETIME_S);
  if (!Number.isInteger(lifetimeS) || lifetimeS < 1 || lifetimeS > LIFETIME_S_MAX)
    throw wrong(`--lifetime: expected seconds from 1 to ${LIFETIME_S_MAX}`);
  const subject = values.subject ?? roles[0] ?? 'somebody';
  return { subject, roles, scopes: values.scope ?? [], division, department, lifetimeS };
}

function parse(argv: readonly string[]) {
  const many = { type: 'string', multiple: true } as const;
  const one = { type: 'string' } as const;
  const options = {
    role: many,
    scope: many,
    division: one,
    department: one,
    subject: one,
    lifetime: one,
  } as const;
  try {
    return parseArgs({ args: [...argv], options, strict: true }).values;
  } catch (cause) {
    throw new OperatorError(`${(cause as Error).message} ('weft help' lists the commands)`, {
      cause,
      exitCode: 2,
    });
  }
}

function wrong(message: string): OperatorError {
  return new OperatorError(message, { exitCode: 2 });
}
