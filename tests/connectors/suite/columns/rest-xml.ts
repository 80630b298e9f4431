// The column REST/XML: an old system that speaks XML in GB 18030 and lets in who signs each request.
import type { Column } from '../column.ts';
import { REST_CANNOT, startRest } from '../rest/column.ts';
import { restDialect } from '../rest/dialect.ts';
import { hmacLogin } from '../rest/logins.ts';

const KEY = '签名-9f8e7d6c';

export const column: Column = {
  protocol: 'REST/XML',
  cannotOccur: REST_CANNOT,
  whyNot: async () => undefined,
  start() {
    const changes = {
      'format: JSON': 'format: XML',
      'oauth2: { tokenUrl: "{$env.SUITE_URL}/token", client: "suite-client" }':
        'hmac: { secret: "suite-key" }',
      'readOnly: false': 'readOnly: false encoding: "gb18030"',
    };
    const dialect = restDialect('XML', 'gb18030', hmacLogin(KEY));
    return startRest(dialect, changes, 'rest-xml-records', { SECRET_SUITE_KEY: KEY });
  },
};
