// The workers (人员) that come with the program: those of every centre and department, and who of the grid platform's belongs where.
import type { CentreRow } from './centres.ts';
import { DEPARTMENTS } from './departments.ts';
import type { PostCode } from './posts.ts';

/** A worker as it is stored. */
export interface WorkerRow {
  /** 工号 */
  readonly number: string;
  /** Null for the grid platform's own: it knows them. */
  readonly name: string | null;
  readonly phone: string | null;
  /** Whether the number is that of a grid worker of the grid platform. */
  readonly isGridWorker: boolean;
  readonly divisionCode: string;
  readonly centreCode: string | null;
  readonly departmentCode: string | null;
  readonly posts: readonly PostCode[];
}

/** 姑苏区: where the departments sit. */
const DISTRICT = '320508';
const TOWN_LEVEL = 4;
const COMMUNITY_LEVEL = 5;
const GRIDS_PER_COMMUNITY = 3;
/** Of each department, in the district. */
const HANDLERS = 2;
/** 派驻机构: what has people of its own in the centres of towns. */
const STATIONED = ['police', 'justice', 'market-supervision', 'urban-management'] as const;

/** @param centres those that come with the program */
export function workersOf(centres: readonly CentreRow[]): readonly WorkerRow[] {
  const people = [
    ...centres.flatMap(staffOf),
    ...departmentHandlers(),
    ...centres.filter(({ level }) => level === TOWN_LEVEL).flatMap(stationedAt),
  ];
  const withPhones = people.map((worker, index) => ({ ...worker, phone: phoneOf(index + 1) }));
  return [...withPhones, ...gridWorkers(centres)];
}

type Named = Omit<WorkerRow, 'phone'>;

function staffOf({ code, name, level, divisionCode }: CentreRow): readonly Named[] {
  const place = { isGridWorker: false, divisionCode, centreCode: code, departmentCode: null };
  const one = (prefix: string, title: string, ...posts: PostCode[]): Named => ({
    number: `${prefix}${divisionCode}`,
    name: `${name}${title}`,
    ...place,
    posts,
  });
  const staff = [one('ZX', '工作人员', 'centre-staff')];
  if (level === COMMUNITY_LEVEL) return staff;
  staff.push(one('ZB', '值班员', 'duty-officer', 'operator'), one('LD', '负责人', 'centre-leader'));
  if (divisionCode === DISTRICT) staff.push(one('SJ', '审计员', 'auditor'));
  return staff;
}

function departmentHandlers(): readonly Named[] {
  return DEPARTMENTS.flatMap(({ code, fullName }) =>
    Array.from({ length: HANDLERS }, (_, index) => ({
      number: `JB-${code}-${index + 1}`,
      name: `${fullName}经办人${index + 1}`,
      isGridWorker: false,
      divisionCode: DISTRICT,
      centreCode: null,
      departmentCode: code,
      posts: ['department-handler'] as const,
    })),
  );
}

function stationedAt({ code, name, divisionCode }: CentreRow): readonly Named[] {
  return DEPARTMENTS.filter((department) => STATIONED.some((each) => each === department.code)).map(
    (department) => ({
      number: `PZ-${department.code}-${divisionCode}`,
      name: `${department.name}派驻${name}人员`,
      isGridWorker: false,
      divisionCode,
      centreCode: code,
      departmentCode: department.code,
      posts: ['stationed-agency'] as const,
    }),
  );
}

/**
 * The platform numbers its grid workers through, community by community in the order of their codes, the head of each community first. Who
 * they are, and which grid is theirs, it alone knows.
 */
function gridWorkers(centres: readonly CentreRow[]): readonly WorkerRow[] {
  const communities = centres
    .filter(({ level, divisionCode }) => level === COMMUNITY_LEVEL && divisionCode.startsWith(DISTRICT))
    .sort((one, other) => (one.divisionCode < other.divisionCode ? -1 : 1));
  return communities.flatMap(({ code, divisionCode }, community) =>
    Array.from({ length: GRIDS_PER_COMMUNITY }, (_, index): WorkerRow => {
      const serial = community * GRIDS_PER_COMMUNITY + index + 1;
      return {
        number: `WGY${String(serial).padStart(4, '0')}`,
        name: null,
        phone: null,
        isGridWorker: true,
        divisionCode,
        centreCode: code,
        departmentCode: null,
        posts: index === 0 ? ['grid-worker', 'grid-head'] : ['grid-worker'],
      };
    }),
  );
}

/** A number that no network gives out. */
function phoneOf(serial: number): string {
  return `0512-0001${String(serial).padStart(4, '0')}`;
}
