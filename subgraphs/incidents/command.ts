// Decodes the arguments of a mutation into what an action needs, naming the argument that is not acceptable.
import { HubError } from '@weft/core/errors';
import { decodeAttachments } from './attachments/refer.ts';
import { badInput } from './bad-input.ts';
import { isCentreCode } from './centres.ts';
import { fingerprintOf, isIncidentId } from './identity.ts';
import { isReturnReason, type ReturnReason } from './labels.ts';
import { CODE_LENGTH_MAX } from './report-limits.ts';
import { type Action, type ActionInput, ruleOf } from './state-machine.ts';

export const BY_LENGTH_MAX = 100;
const TEXT_LENGTH_MAX = 2_000;
const RESULT_LENGTH_MAX = 20_000;
const RATING_MAX = 5;

/** The arguments of any action, as GraphQL has decoded them. */
export interface ActionArguments {
  readonly id: string;
  readonly requestId?: string | null;
  readonly expectedVersion?: number | null;
  readonly by?: string | null;
  readonly remark?: string | null;
  readonly department?: string | null;
  readonly override?: boolean | null;
  readonly reason?: string | null;
  readonly returnReason?: string | null;
  readonly result?: string | null;
  readonly externalNumber?: { readonly kind: string; readonly number: string } | null;
  readonly rating?: number | null;
  readonly text?: string | null;
  readonly centre?: string | null;
  readonly until?: Date | null;
  readonly granted?: boolean | null;
  readonly into?: string | null;
  readonly attachments?: readonly string[] | null;
}

/** What is to be done; the inputs that its action needs are there. */
export interface Command {
  readonly action: Action;
  readonly id: string;
  readonly requestId: string | null;
  /** Equal for equal commands: the same `requestId` with another is a conflict. */
  readonly fingerprint: string;
  readonly expectedVersion: number | null;
  readonly by: string | null;
  readonly remark: string | null;
  readonly department: string | null;
  readonly override: boolean;
  readonly reason: string | null;
  readonly returnReason: ReturnReason | null;
  readonly result: string | null;
  readonly externalNumber: { readonly kind: string; readonly number: string } | null;
  readonly rating: number | null;
  readonly evaluation: string | null;
  readonly centre: string | null;
  readonly until: Date | null;
  readonly granted: boolean | null;
  readonly into: string | null;
  /** Hashes of uploads that come with the step. Absent where there are none: retold, a command is what it was before there were any. */
  readonly attachments?: readonly string[];
}

/** @throws HubError BAD_USER_INPUT naming the argument */
export function decodeCommand(action: Action, args: ActionArguments): Command {
  const attachments = decodeAttachments('attachments', args.attachments);
  const command = {
    remark: optionalText('remark', args.remark, TEXT_LENGTH_MAX),
    // Whether there is one, and which it may have been, the directory says.
    department: optionalGiven('department', args.department),
    override: args.override ?? false,
    reason: optionalText('reason', args.reason, TEXT_LENGTH_MAX),
    returnReason: decodeReturnReason(args.returnReason),
    result: optionalText('result', args.result, RESULT_LENGTH_MAX),
    externalNumber: decodeExternalNumber(args.externalNumber),
    rating: decodeRating(args.rating),
    evaluation: optionalText('text', args.text, TEXT_LENGTH_MAX),
    centre: optionalCode('centre', args.centre, isCentreCode, 'a division, a hyphen and a number'),
    until: args.until ?? null,
    granted: args.granted ?? null,
    into: args.into ?? null,
    ...(attachments.length === 0 ? {} : { attachments }),
  };
  for (const input of ruleOf(action).inputs) requireInput(input, command);
  if (command.override && command.reason === null)
    throw badInput('reason', 'expected why the department is asked again');
  const by = optionalText('by', args.by, BY_LENGTH_MAX);
  if (typeof args.by === 'string' && by === null) throw badInput('by', 'expected text that is not empty');
  return {
    ...command,
    action,
    id: args.id,
    by,
    requestId: optionalText('requestId', args.requestId, CODE_LENGTH_MAX),
    expectedVersion: args.expectedVersion ?? null,
    fingerprint: fingerprintOf({ action, command: JSON.stringify(command) }),
  };
}

function requireInput(input: ActionInput, command: Readonly<Record<ActionInput, unknown>>): void {
  if (command[input] === null) throw badInput(input, 'expected a value');
  if (input === 'into' && !isIncidentId(String(command.into)))
    throw new HubError('NOT_FOUND', `there is no incident ${command.into}`, {
      details: { argument: 'into' },
    });
}

function decodeReturnReason(value: string | null | undefined): ReturnReason | null {
  if (value === null || value === undefined) return null;
  if (isReturnReason(value)) return value;
  throw badInput('returnReason', 'expected a value of the enum ReturnReason');
}

function decodeRating(value: number | null | undefined): number | null {
  if (value === null || value === undefined) return null;
  if (Number.isInteger(value) && value >= 1 && value <= RATING_MAX) return value;
  throw badInput('rating', `expected 1 to ${RATING_MAX}`);
}

function decodeExternalNumber(value: ActionArguments['externalNumber']): Command['externalNumber'] {
  if (value === null || value === undefined) return null;
  return {
    kind: requireText('externalNumber.kind', value.kind, CODE_LENGTH_MAX),
    number: requireText('externalNumber.number', value.number, CODE_LENGTH_MAX),
  };
}

function optionalCode(
  argument: string,
  given: string | null | undefined,
  isCode: (code: string) => boolean,
  shape: string,
): string | null {
  const code = optionalGiven(argument, given);
  if (code === null || isCode(code)) return code;
  throw badInput(argument, `expected a code of ${shape}`);
}

/** What is given is something. */
function optionalGiven(argument: string, given: string | null | undefined): string | null {
  return given === null || given === undefined ? null : requireText(argument, given, CODE_LENGTH_MAX);
}

/** @throws HubError BAD_USER_INPUT */
export function requireText(argument: string, value: string, lengthMax: number): string {
  const text = optionalText(argument, value, lengthMax);
  if (text !== null) return text;
  throw badInput(argument, 'expected text that is not empty');
}

function optionalText(argument: string, value: string | null | undefined, lengthMax: number): string | null {
  if (value === null || value === undefined) return null;
  if (value.length > lengthMax) throw badInput(argument, `expected at most ${lengthMax} characters`);
  if (value.includes('\0')) throw badInput(argument, 'expected text without NUL');
  return value.trim() || null;
}
