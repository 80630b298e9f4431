// Every bound of the bench of subscriptions, by name.

export const LIVE_LIMITS = Object.freeze({
  /** For the subgraphs, the load and PostgreSQL to start. */
  startMsMax: 60_000,
  /** For all clients of a row to be connected and subscribed. */
  connectMsMax: 180_000,
  /** That come and go before anything is measured. */
  pilotClients: 500,
  /** For every client to have had a first event: the protocol has no word for a subscription that stands. */
  warmUpMsMax: 60_000,
  /** Events go out for so long before what is measured, though all were reached sooner: the code gets hot. */
  warmUpMsMin: 3_000,
  /** For what went out in the warm-up to be delivered: a row that needs longer gets no more at once than one event for each group. */
  keepUpMsMax: 500,
  /** For what is still to come after the source has ended. */
  drainMsMax: 20_000,
  /** Without a new delivery for so long, nothing more is coming. */
  quietMs: 1_000,
  pollMs: 50,
  clientsMax: 20_000,
  groupsMax: 196,
  eventsPerSecondMax: 10_000,
  secondsMax: 600,
  roundsMax: 100,
  /** Clients of one load process. */
  clientsPerProcessMax: 7_500,
  /** Descriptors that a process needs beside its sockets. */
  descriptorsReserved: 500,
  subscriptionsMax: 1_000_000,
  cyclesMax: 1_000_000,
  slowSocketsMax: 100,
  /** Subscriptions that are begun, and ended again, together. */
  cycleOperations: 1_000,
  /** For memory to settle and be collected after a step. */
  settleMs: 5_000,
});
