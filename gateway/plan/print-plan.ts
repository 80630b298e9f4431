// Shows a plan to a reader: who is asked, for what, after whom.
import { print, type SelectionSetNode } from 'graphql';
import type { FetchStep, Plan, RequiredSelection, Rewrite, Step } from './planner.ts';

/** Lines of text, two spaces a level, the planner's name first. */
export function printPlan(plan: Plan): string {
  const planners = [plan.planner, plan.secondPlanner].filter((name) => name !== undefined);
  const lines = [`planner: ${planners.join(' and ') || 'none: nothing is to be fetched'}`];
  if (plan.primary !== undefined) lines.push('on each event', ...indent(printStep(plan.primary)), 'then');
  if (plan.steps !== undefined) lines.push(...printStep(plan.steps));
  return `${lines.join('\n')}\n`;
}

function printStep(step: Step | undefined): readonly string[] {
  if (step === undefined) return ['nothing'];
  switch (step.kind) {
    case 'fetch':
      return printFetch(step);
    case 'sequence':
      return ['one after the other', ...step.steps.flatMap((child) => indent(printStep(child)))];
    case 'parallel':
      return ['at the same time', ...step.steps.flatMap((child) => indent(printStep(child)))];
    case 'condition':
      return [
        ...(step.whenTrue === undefined ? [] : [`if $${step.variable}`, ...indent(printStep(step.whenTrue))]),
        ...(step.whenFalse === undefined
          ? []
          : [`unless $${step.variable}`, ...indent(printStep(step.whenFalse))]),
      ];
    case 'defer':
      return [
        'at first',
        ...indent(printStep(step.primary.steps)),
        ...step.deferred.flatMap((block) => [
          `later${block.label === undefined ? '' : ` '${block.label}'`} at ${shown(block.path)}`,
          ...indent(printStep(block.steps)),
        ]),
      ];
    default:
      return step satisfies never;
  }
}

function printFetch(fetch: FetchStep): readonly string[] {
  const { system, requires, path, variableNames } = fetch;
  const head = requires === undefined ? `ask ${system}` : `ask ${system} for ${shown(path)}`;
  return [
    head,
    ...indent([
      ...(requires === undefined ? [] : [`by ${printRequired(requires)}`]),
      ...(variableNames.length === 0 ? [] : [`with ${variableNames.map((name) => `$${name}`).join(', ')}`]),
      ...printSelection(fetch.selection, fetch),
      ...fetch.inputRewrites.map((rewrite) => `before: ${printRewrite(rewrite)}`),
      ...fetch.outputRewrites.map((rewrite) => `after: ${printRewrite(rewrite)}`),
      ...fetch.contextRewrites.map((rewrite) => `$${rewrite.to} from ${shown(rewrite.path)}`),
    ]),
  ];
}

function printSelection(selection: SelectionSetNode, { fragments }: FetchStep): readonly string[] {
  const named = [...fragments].map(([name, body]) => `fragment ${name} ${print(body)}`);
  return [print(selection), ...named].flatMap((text) => text.split('\n'));
}

function printRequired(selections: readonly RequiredSelection[]): string {
  const texts = selections.map((selection) => {
    const below = selection.selections === undefined ? '' : ` ${printRequired(selection.selections)}`;
    if (selection.kind === 'fragment') return `... on ${selection.typeCondition}${below}`;
    return `${selection.sentAs === undefined ? '' : `${selection.sentAs}: `}${selection.name}${below}`;
  });
  return `{ ${texts.join(' ')} }`;
}

function printRewrite(rewrite: Rewrite): string {
  const change = rewrite.kind === 'set' ? `= ${JSON.stringify(rewrite.value)}` : `becomes ${rewrite.to}`;
  return `${shown(rewrite.path)} ${change}`;
}

function shown(path: readonly string[]): string {
  return path.length === 0 ? 'the root' : path.join('.').replaceAll('.@', '[]');
}

function indent(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`);
}
