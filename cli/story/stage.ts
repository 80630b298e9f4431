// The stage of a play: the running hub, its people and old systems, and the terminal on which it can be followed.
import { delay } from '@weft/core/deadline';
import { OperatorError } from '@weft/core/errors';
import type { DevelopmentIssuer } from '../token/issuer.ts';
import { type Department, openDepartment, openHotline } from './old-systems.ts';
import { enterPerson, type Person } from './people.ts';
import { CHANGED } from './screen.ts';
import type { Sighting, Stage, Step } from './story.ts';

export interface StageOptions {
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Of everything that the hub has, by name. */
  readonly urls: Readonly<Record<string, string>>;
  readonly issuer: DevelopmentIssuer;
  /** Between two steps, for those who look on. */
  readonly paceMs: number;
  /** For what a step makes other systems do to be seen. */
  readonly seenMsMax: number;
  readonly mark: string;
  print(line: string): void;
}

export interface OpenStage extends Stage {
  /** The address on the page of the incident that is shown; undefined before there is one. */
  readonly place: string | undefined;
  /** Everybody goes, and the people of the departments come back. */
  close(): Promise<void>;
}

const LOOK_EVERY_MS = 100;
/** Renewed with each step; longer than the longest step. */
const AWAY_MS = 600_000;
const WHERE_WIDTH = 34;

const IN_DIVISION = `subscription ($division: ID) { incidentChanged(division: $division) ${CHANGED} }`;
const IN_INBOX = `subscription ($centre: ID!) { centreInboxChanged(centre: $centre) ${CHANGED} }`;

/** @throws OperatorError when the hub is no demo's */
export function openStage(options: StageOptions): OpenStage {
  const { home, env, urls, issuer, paceMs, seenMsMax, mark, print } = options;
  const { graphql, ws, dashboard, joining } = urls;
  if (graphql === undefined || ws === undefined || dashboard === undefined || joining === undefined)
    throw new OperatorError('the hub has not said where it can be reached');
  const people: Person[] = [];
  const departments: Department[] = [];
  const ends: (() => Promise<void>)[] = [];
  let number = 0;
  let beganAtMs = performance.now();
  let place: string | undefined;
  const printSeen = (where: string, what: string) => {
    const ms = `+${(performance.now() - beganAtMs).toFixed(0)} ms`;
    print(`   ${ms.padStart(9)}  ${padded(where)}  ${what}`);
  };
  return {
    mark,
    home,
    env,
    hotline: openHotline(urls),
    joiningUrl: joining,
    get place() {
      return place;
    },
    async department(name) {
      const department = openDepartment(urls, name, mark);
      await department.sendAway(AWAY_MS);
      departments.push(department);
      return department;
    },
    async enter(name, claims) {
      const person = await enterPerson(name, claims, { issuer, urls: { graphql, ws } });
      people.push(person);
      return person;
    },
    watch: (where, person, division) =>
      person.follow(IN_DIVISION, { division }, { where, mark, print: printSeen }),
    watchInbox: (where, person, centre) =>
      person.follow(IN_INBOX, { centre }, { where, mark, print: printSeen }),
    async step<Result>({ who, what, act, seen = [] }: Step<Result>) {
      number += 1;
      if (number > 1) await delay(paceMs);
      print(`\n${String(number).padStart(2)}. ${who}: ${what}`);
      await Promise.all(departments.map((department) => department.sendAway(AWAY_MS)));
      beganAtMs = performance.now();
      const result = await act();
      await Promise.all(
        seen.map((sighting) => untilSeen(`step ${number} (${what})`, sighting, seenMsMax, printSeen)),
      );
      return result;
    },
    showPlace(incident) {
      place = new URL(`#incident=${incident}`, dashboard).href;
      print(`    watch it at ${place}`);
    },
    atEnd: (work) => void ends.push(work),
    tell: (line) => print(`    ${line}`),
    async close() {
      for (const person of people.splice(0)) person.leave();
      for (const work of ends.splice(0).toReversed()) await work();
      // Who is away would come back by themselves.
      await Promise.allSettled(departments.map((department) => department.sendAway(0)));
    },
  };
}

/** @throws OperatorError naming the step, and who did not see what */
async function untilSeen(
  step: string,
  { where, what, look }: Sighting,
  msMax: number,
  printSeen: (where: string, what: string) => void,
): Promise<void> {
  const untilMs = performance.now() + msMax;
  for (;;) {
    const text = await look();
    if (text !== undefined) {
      if (text !== '') printSeen(where, text);
      return;
    }
    if (performance.now() > untilMs)
      throw new OperatorError(`${step} was not seen within ${msMax / 1_000} s: ${what} at ${where}`);
    await delay(LOOK_EVERY_MS);
  }
}

/** A Chinese character takes two columns. */
function padded(text: string): string {
  const columns = [...text].reduce((sum, char) => sum + (char > '\u2e7f' ? 2 : 1), 0);
  return text + ' '.repeat(Math.max(0, WHERE_WIDTH - columns));
}
