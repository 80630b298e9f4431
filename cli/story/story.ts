// What a story is: what it shows, and how it is played on a stage.
import type { Department, DepartmentName, Hotline } from './old-systems.ts';
import type { Claims, Person } from './people.ts';
import type { Screen } from './screen.ts';

export interface Story {
  /** As the stories are numbered. */
  readonly number: number;
  readonly name: string;
  /** In one sentence. */
  readonly shows: string;
  /** @throws OperatorError naming the step that was not seen within its limit */
  play(stage: Stage): Promise<void>;
}

/** Something that must be seen somewhere after a step. */
export interface Sighting {
  /** On whose screen, or in which system. */
  readonly where: string;
  /** For the message when it is not seen. */
  readonly what: string;
  /** Asked again and again. @returns what is printed, empty where it was printed already; undefined: not yet */
  look(): Promise<string | undefined> | string | undefined;
}

export interface Step<Result> {
  readonly who: string;
  readonly what: string;
  act(): Promise<Result>;
  /** What must be seen before the story goes on; made before `act`, so that screens count from there. */
  readonly seen?: readonly Sighting[];
}

export interface Stage {
  /** In every title of this play: by it the screens know its incidents from those of the city. */
  readonly mark: string;
  /** The hub's home folder. */
  readonly home: string;
  /** In which the command was started. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly hotline: Hotline;
  /** Where a system of the story may be registered. */
  readonly joiningUrl: string;
  /** The people of a department leave all work to the story until it is over. */
  department(name: DepartmentName): Promise<Department>;
  enter(name: string, claims: Claims): Promise<Person>;
  /** Everything that changes in a division, as a client of this person is told it. */
  watch(where: string, person: Person, division: string): Promise<Screen>;
  /** What comes to a centre, and changes of what it owns. */
  watchInbox(where: string, person: Person, centre: string): Promise<Screen>;
  /** Prints who does what, does it, and waits until all of it was seen. @throws OperatorError when it was not within the limit */
  step<Result>(step: Step<Result>): Promise<Result>;
  /** Prints where the incident can be looked at, now and at the end. */
  showPlace(incident: string): void;
  tell(line: string): void;
  /** Done when the story is over, be it that somebody has seen enough of it. */
  atEnd(work: () => Promise<void>): void;
}

/** 姑苏区, 白洋湾街道 in it, and 路南社区 in that: where the stories happen. */
export const COUNTY = '320508';
export const TOWN = '320508017';
export const COMMUNITY = '320508017003';
