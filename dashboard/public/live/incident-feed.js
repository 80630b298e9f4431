// The rows of the live list as data: bounded, newest change on top, and a re-read never overwrites a later event.

/**
 * @typedef {import('./failures.js').Failure} Failure
 * @typedef {{ id: string, title: string, stateLabel: string, reportedAt: string, address: string | null,
 *   division: { fullName: string } | null, hotlineOrder: { id: string, status: string | null } | null,
 *   grid: { name: string | null, worker: { name: string | null } | null } | null,
 *   policeCase: { status: string | null, unit: string | null } | null }} Incident
 * @typedef {{ incident: Incident, failures: readonly Failure[], revision: number }} Row
 */

export class IncidentFeed {
  /** @param {number} rowsMax the oldest rows beyond are let go */
  constructor(rowsMax) {
    this.rowsMax = rowsMax;
    /** Grows with each live event: tells a re-read which rows have changed since it was asked for. */
    this.revision = 0;
    /** @type {Map<string, Row>} oldest change first, as a Map keeps its order */
    this.byId = new Map();
  }

  /** A live event: the row goes to the top. @param {Incident} incident @param {readonly Failure[]} failures */
  applyEvent(incident, failures) {
    this.revision += 1;
    this.byId.delete(incident.id);
    this.byId.set(incident.id, { incident, failures, revision: this.revision });
    this.trim();
  }

  /**
   * The answer to a query that was sent when the feed stood at `askedAtRevision`, newest first.
   * @param {readonly { incident: Incident, failures: readonly Failure[] }[]} read @param {number} askedAtRevision
   */
  applyRead(read, askedAtRevision) {
    const known = new Map(this.byId);
    const arrivedSince = [...known.values()].filter((row) => row.revision > askedAtRevision);
    const inRead = new Set(read.map((row) => row.incident.id));
    const older = [...known.values()].filter(
      (row) => row.revision <= askedAtRevision && !inRead.has(row.incident.id),
    );
    this.byId.clear();
    for (const row of older) this.byId.set(row.incident.id, row);
    for (const { incident, failures } of [...read].reverse()) {
      this.byId.set(incident.id, { incident, failures, revision: known.get(incident.id)?.revision ?? 0 });
    }
    for (const row of arrivedSince) {
      this.byId.delete(row.incident.id);
      this.byId.set(row.incident.id, row);
    }
    this.trim();
  }

  /** @returns {readonly Row[]} newest change first */
  rows() {
    return [...this.byId.values()].reverse();
  }

  trim() {
    for (const id of this.byId.keys()) {
      if (this.byId.size <= this.rowsMax) return;
      this.byId.delete(id);
    }
  }
}
