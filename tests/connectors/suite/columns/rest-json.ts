// The column REST/JSON: an old system behind an authorization server (OAuth 2.0 client credentials).
import type { Column } from '../column.ts';
import { REST_CANNOT, startRest } from '../rest/column.ts';
import { restDialect } from '../rest/dialect.ts';
import { oauth2Login } from '../rest/logins.ts';

const CLIENT = 'suite:0b1c2d3e';

export const column: Column = {
  protocol: 'REST/JSON',
  cannotOccur: REST_CANNOT,
  whyNot: async () => undefined,
  start() {
    const [id = '', secret = ''] = CLIENT.split(':');
    const dialect = restDialect('JSON', 'utf-8', oauth2Login(id, secret));
    return startRest(dialect, {}, 'rest-json-records', { SECRET_SUITE_CLIENT: CLIENT });
  },
};
