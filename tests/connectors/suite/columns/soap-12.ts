// The column SOAP 1.2: an old system in UTF-8 with WS-Security, its password as a digest.
import type { Column } from '../column.ts';
import { SOAP_CANNOT, startSoap } from '../soap/column.ts';
import { soap12Dialect } from '../soap/dialect.ts';

const LOGIN = 'suite:p&w-4321';

export const column: Column = {
  protocol: 'SOAP 1.2',
  cannotOccur: SOAP_CANNOT,
  whyNot: async () => undefined,
  start() {
    const changes = {
      'version: SOAP_11': 'version: SOAP_12',
      'auth: { basic: "suite-login" }': 'security: { usernameToken: "suite-login", digest: true }',
      'encoding: "gb18030"': 'encoding: "utf-8"',
    };
    return startSoap(soap12Dialect('utf-8', LOGIN), changes, 'soap-12-records', LOGIN);
  },
};
