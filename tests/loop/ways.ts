// What shall become of each incident: drawn from its id and a seed, so that staff, departments and judge agree without speaking.
import { createHash } from 'node:crypto';

/** In the order of their share: each has a system of its own. */
export const DEPARTMENTS = ['urban-management', 'police', 'market-supervision', 'human-resources'] as const;
export type DepartmentName = (typeof DEPARTMENTS)[number];

export interface Way {
  /** What the centre does with it once it is accepted. */
  readonly atCentre: 'ROUTE' | 'REJECT' | 'INVALID';
  /** In this order they are asked: who has returned it is not asked again. */
  readonly departments: readonly DepartmentName[];
  /** The attempts up to this number are given back by the department's people. */
  readonly returns: number;
  /** Whether they sign for it before they give it back. */
  readonly signsFirst: boolean;
  readonly reworks: boolean;
  readonly evaluates: boolean;
  /** The state in which it ends. */
  readonly end: 'EVALUATED' | 'CLOSED' | 'REJECTED' | 'INVALID';
}

/** Of 256: the rest go to urban management first. */
const FIRST_BELOW = [
  { department: 'police', below: 56 },
  { department: 'market-supervision', below: 112 },
  { department: 'human-resources', below: 150 },
] as const;
const REJECTED_BELOW = 8;
const INVALID_BELOW = 16;
const RETURNED_TWICE_BELOW = 10;
const RETURNED_BELOW = 40;
const REWORKED_BELOW = 12;
const EVALUATED_BELOW = 200;

/** @param id of the incident */
export function wayOf(id: string, seed: number): Way {
  const bytes = createHash('sha256').update(`${seed}:${id}`).digest();
  const [first = 0, centre = 0, returned = 0, signs = 0, reworked = 0, rated = 0] = bytes;
  const asked = FIRST_BELOW.find(({ below }) => first < below)?.department ?? 'urban-management';
  const start = DEPARTMENTS.indexOf(asked);
  const departments = DEPARTMENTS.map((_, step) => DEPARTMENTS[(start + step) % DEPARTMENTS.length] ?? asked);
  const atCentre = centre < REJECTED_BELOW ? 'REJECT' : centre < INVALID_BELOW ? 'INVALID' : 'ROUTE';
  const evaluates = rated < EVALUATED_BELOW;
  const closed = evaluates ? 'EVALUATED' : 'CLOSED';
  return {
    atCentre,
    departments,
    returns: returned < RETURNED_TWICE_BELOW ? 2 : returned < RETURNED_BELOW ? 1 : 0,
    signsFirst: signs % 2 === 0,
    reworks: reworked < REWORKED_BELOW,
    evaluates,
    end: { ROUTE: closed, REJECT: 'REJECTED', INVALID: 'INVALID' }[atCentre] as Way['end'],
  };
}
