// Resolvers of myTasks and of what hangs below it.
import { HubError } from '@weft/core/errors';
import type { PrismaClient } from '../generated/client.ts';
import { URGENCY_LABELS } from '../labels.ts';
import { ruleOf } from '../state-machine.ts';
import type { Viewing } from '../visible.ts';
import { librarySource, listTasks, type TasksArguments } from './list-tasks.ts';
import { type MyTasks, ownedPlaces, readOldSystems, type TaskSource } from './sources.ts';
import { TASK_KIND_LABELS, type Task } from './task.ts';

/** Of the one object there is for each asker. */
const ID = 'mine';

/** The field of Query. @throws HubError UNAUTHENTICATED for the anonymous */
export function myTasks({ actor }: Viewing): MyTasks {
  if (actor.kind === 'anonymous')
    throw new HubError('UNAUTHENTICATED', 'tasks are of somebody: give credentials');
  return { id: ID, ...ownedPlaces(actor) };
}

/** Type to field to resolver. */
export function createTaskFields(prisma: PrismaClient) {
  const list = (mine: MyTasks, args: TasksArguments, viewing: Viewing) =>
    listTasks(prisma, viewing, readOldSystems(mine, new Date()), args);
  return {
    MyTasks: {
      __resolveReference: (mine: MyTasks, viewing: Viewing): MyTasks => ({ ...myTasks(viewing), ...mine }),
      tasks: list,
      incidentTasks: (_: MyTasks, args: TasksArguments, viewing: Viewing) =>
        listTasks(prisma, viewing, [], args),
      sources: (mine: MyTasks, _: unknown, { actor }: Viewing) => {
        const at = new Date();
        return [librarySource(prisma, actor, at), ...readOldSystems(mine, at).map(({ source }) => source)];
      },
    },
    Task: {
      id: ({ kind, number }: Task) => `${kind}:${number}`,
      kindLabel: ({ kind }: Task) => TASK_KIND_LABELS[kind],
      actionLabel: ({ action }: Task) => (action === null ? null : ruleOf(action).label),
      since: async ({ incident, record, from }: Task, _: unknown, { loaders }: Viewing) => {
        if (record !== null || incident === null) return from.getTime() === 0 ? null : from;
        return (await loaders.steps.load(incident.id)).at(-1)?.at ?? from;
      },
      overdue: ({ due }: Task) => due !== null && due < new Date(),
      priorityLabel: ({ priority }: Task) => URGENCY_LABELS[priority],
    },
    TaskSource: {
      tasks: ({ tasks }: TaskSource) => (typeof tasks === 'function' ? tasks() : tasks),
    },
  };
}
