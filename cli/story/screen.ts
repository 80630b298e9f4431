// A live view of somebody: every change of the story's incidents is printed as it comes, and can be waited for.
import type { Handlers } from '@weft/client/client';
import { OperatorError } from '@weft/core/errors';
import { type IncidentState, STATE_LABELS } from '@weft/subgraphs/incidents/labels';
import { CHANGE_LABELS } from '@weft/subgraphs/incidents/state-machine';
import type { Sighting } from './story.ts';

/** What a live field of incidents brings of each change. */
export interface Changed {
  /** Null of what was there at the beginning. */
  readonly change: { readonly kind: string; readonly to: string } | null;
  /** Null where the one who looks may not see it. */
  readonly incident: { readonly id: string; readonly title: string } | null;
}

/** The selection on such a field. */
export const CHANGED = '{ change { kind to } incident { id title } }';

export interface ScreenSettings {
  /** Whose, and of what. */
  readonly where: string;
  /** In the titles of the story's incidents. */
  readonly mark: string;
  print(where: string, what: string): void;
}

export interface Screen {
  /** A change of this kind that was not shown before the call. */
  shows(kind: keyof typeof CHANGE_LABELS): Sighting;
}

export interface OpenScreen extends Screen {
  readonly handlers: Handlers<Changed>;
}

export function openScreen({ where, mark, print }: ScreenSettings): OpenScreen {
  const shown: string[] = [];
  let trouble: string | undefined;
  return {
    handlers: {
      next({ value }) {
        if (value === null || value.change === null || !value.incident?.title.includes(mark)) return;
        const { kind, to } = value.change;
        shown.push(kind);
        print(where, describeChange(kind, to));
      },
      gap({ reason }) {
        print(where, `!!! GAP (${reason}): changes were missed`);
      },
      error({ code, message }) {
        trouble = `${code}: ${message}`;
      },
    },
    shows(kind) {
      const before = shown.filter((one) => one === kind).length;
      return {
        where,
        what: kind,
        look() {
          if (trouble !== undefined) throw new OperatorError(`the screen of ${where} ended: ${trouble}`);
          return shown.filter((one) => one === kind).length > before ? '' : undefined;
        },
      };
    },
  };
}

/** `ROUTED 分流 (受理 → 分流)` without what came before: a live field tells where it is now. */
function describeChange(kind: string, to: string): string {
  const label = CHANGE_LABELS[kind as keyof typeof CHANGE_LABELS] ?? kind;
  return `${label} ${kind}, now ${STATE_LABELS[to as IncidentState] ?? to}`;
}
