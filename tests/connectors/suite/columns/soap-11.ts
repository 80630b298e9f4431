// The column SOAP 1.1: an old system in GB 18030 with HTTP's basic log-in.
import type { Column } from '../column.ts';
import { SOAP_CANNOT, startSoap } from '../soap/column.ts';
import { soap11Dialect } from '../soap/dialect.ts';

const LOGIN = 'suite:p&w-4321';

export const column: Column = {
  protocol: 'SOAP 1.1',
  cannotOccur: SOAP_CANNOT,
  whyNot: async () => undefined,
  start: () => startSoap(soap11Dialect('gb18030', LOGIN), {}, 'soap-11-records', LOGIN),
};
