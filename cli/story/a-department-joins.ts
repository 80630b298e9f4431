// Story 6: a department's system joins while others are subscribed; what would break a screen is refused; the version before is one command away.
import { OperatorError } from '@weft/core/errors';
import { type Answer, openRegistryOfHub, type RegistryOfHub, requireAccepted } from '../registry/ask.ts';
import { type JoiningSystem, parkingSdl, startJoiningSystem } from './joining-system.ts';
import type { Person } from './people.ts';
import type { Screen } from './screen.ts';
import { COMMUNITY, COUNTY, type Sighting, type Stage, type Story } from './story.ts';

interface Cast {
  readonly stage: Stage;
  readonly system: JoiningSystem;
  readonly department: RegistryOfHub;
  readonly operator: RegistryOfHub;
  readonly driver: Person;
  readonly countyScreen: Screen;
}

const NAME = 'story-parking';
const OFFICE = '停车办 the parking office';
const GRAPH = 'the graph';
const SCREEN = 'query CarParkScreen { carParks { name free } }';
const FIRST = parkingSdl('name: String', 'free: Int');
const WITHOUT_FREE = parkingSdl('name: String');
const WITH_CHARGE = parkingSdl('name: String', 'free: Int', 'charge: Int');

export const A_DEPARTMENT_JOINS: Story = {
  number: 6,
  name: 'A department joins',
  shows:
    'a system registers while others are subscribed; a version that would break a screen is refused, and the one before comes back by one command',
  async play(stage) {
    const system = await startJoiningSystem(stage.joiningUrl);
    const operator = await openRegistryOfHub({}, stage.env);
    stage.atEnd(async () => {
      await remove(operator);
      await system.close();
    });
    // Of a play that was cut off.
    await remove(operator);
    const cast = await castOf(stage, system, operator);
    await join(cast);
    await beRefused(cast);
    await goBack(cast);
  },
};

async function castOf(stage: Stage, system: JoiningSystem, operator: RegistryOfHub): Promise<Cast> {
  const [department, driver, county] = await Promise.all([
    openRegistryOfHub({ department: 'parking-office' }, stage.env),
    stage.enter('car park screen', { role: 'citizen', subject: `story-driver-${stage.mark}` }),
    stage.enter('county centre', { role: 'duty-officer', subject: '姑苏区中心值班席', division: COUNTY }),
  ]);
  const countyScreen = await stage.watch('county centre 姑苏区, live', county, COUNTY);
  return { stage, system, operator, department, driver, countyScreen };
}

async function remove(operator: RegistryOfHub): Promise<void> {
  const query = `mutation { removeSystem(name: "${NAME}", reason: "the story is over") { changed } }`;
  const { errors } = await operator.ask<Answer>('/graphql', { query });
  const [error] = errors ?? [];
  if (error === undefined || error.extensions.code === 'NOT_FOUND') return;
  throw new OperatorError(`${NAME} could not be removed: ${error.message}`);
}

interface Published extends Answer {
  readonly publication: { readonly number: number };
}

function publish({ department, system }: Cast, sdl: string, reason: string): Promise<Published> {
  const { url } = system;
  const told = { title: '停车', contact: '12345', dataSharingBasis: '条例第三条' };
  return department.ask<Published>('/registry', { name: NAME, url, sdl, reason, ...told });
}

async function join(cast: Cast): Promise<void> {
  const { stage, system, driver } = cast;
  await stage.step({
    who: OFFICE,
    what: `registers its system at ${system.url}, as weft publish does`,
    async act() {
      system.sdl = FIRST;
      const { publication } = requireAccepted(await publish(cast, FIRST, 'it joins'));
      stage.tell(`publication ${publication.number}`);
    },
    seen: [answers(driver, '{ carParks { name } }', 'its car parks')],
  });
  await stage.step({
    who: '群众 a citizen',
    what: 'calls 12345: who was subscribed before is subscribed still',
    act: () =>
      stage.hotline.call({
        externalRef: stage.mark,
        subject: `停车难${stage.mark}`,
        areaCode: COMMUNITY,
      }),
    seen: [cast.countyScreen.shows('REPORTED')],
  });
}

async function beRefused(cast: Cast): Promise<void> {
  const { stage, driver, operator } = cast;
  await stage.step({
    who: '驾驶人 a screen for drivers',
    what: 'asks for the free places; the gateway tells the registry within 10 s',
    act: () => driver.get(SCREEN),
    seen: [isUsed(operator)],
  });
  await stage.step({
    who: OFFICE,
    what: 'publishes a version without the free places: refused',
    async act() {
      const { errors } = await publish(cast, WITHOUT_FREE, 'nobody needs it');
      const [error] = errors ?? [];
      if (error?.extensions.code !== 'CHECK_FAILED')
        throw new OperatorError(
          `what would break a screen must be refused: ${error?.message ?? 'it was let in'}`,
        );
      stage.tell(error.message);
    },
    seen: [answers(driver, SCREEN, 'the free places')],
  });
}

async function goBack(cast: Cast): Promise<void> {
  const { stage, system, driver, operator } = cast;
  await stage.step({
    who: OFFICE,
    what: 'publishes a version that adds what it charges, in fen and not in yuan',
    async act() {
      system.sdl = WITH_CHARGE;
      requireAccepted(await publish(cast, WITH_CHARGE, 'charges'));
    },
    seen: [answers(driver, '{ carParks { name charge } }', 'what it charges')],
  });
  await stage.step({
    who: '系统管理员 an operator',
    what: 'weft rollback: the version before',
    async act() {
      system.sdl = FIRST;
      const query = 'mutation { rollback(reason: "wrong charges") { changed } }';
      requireAccepted(await operator.ask<Answer>('/graphql', { query }));
    },
    seen: [isGone(driver), answers(driver, SCREEN, 'the free places')],
  });
}

/** Asked until it answers: who asks may be quicker than the gateway's new graph. */
function answers(person: Person, query: string, what: string): Sighting {
  return {
    where: GRAPH,
    what,
    async look() {
      const answer = await person.get<object>(query).catch(() => undefined);
      return answer === undefined ? undefined : JSON.stringify(answer);
    },
  };
}

function isGone(person: Person): Sighting {
  return {
    where: GRAPH,
    what: 'no charges any more',
    async look() {
      const code = await person.refusal('{ carParks { charge } }').catch(() => undefined);
      return code === undefined ? undefined : `carParks.charge: ${code}`;
    },
  };
}

interface Used extends Answer {
  readonly data?: {
    readonly usage: readonly {
      readonly name: string;
      readonly clientName: string;
      readonly lastSeen: string;
    }[];
  };
}

function isUsed(operator: RegistryOfHub): Sighting {
  const query = '{ usage(coordinate: "CarPark.free", days: 1) { name clientName lastSeen } }';
  return {
    where: 'the registry',
    what: 'the use of CarPark.free',
    async look() {
      const { data } = requireAccepted(await operator.ask<Used>('/graphql', { query }));
      const used = data?.usage.find(({ name }) => name === 'CarParkScreen');
      return used === undefined
        ? undefined
        : `CarPark.free: ${used.name} of ${used.clientName}, ${used.lastSeen}`;
    },
  };
}
