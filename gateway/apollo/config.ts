// The reference's one setting: @apollo/gateway reports metrics to its maker unless the environment says no.

/** Before a gateway is made, since its constructor reads this; the hub sends nothing to anyone who did not ask. */
export function refuseApolloTelemetry(): void {
  process.env.APOLLO_TELEMETRY_DISABLED = 'true';
}
