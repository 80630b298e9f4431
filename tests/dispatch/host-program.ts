// The connector host over the departments, as a program that a test can kill.
import { runProcess } from '@weft/core/process';
import { startDepartmentHost } from './host.ts';

const { DATABASE_URL = '', INGEST_PORT = '0' } = process.env;
await runProcess('department-host', () =>
  startDepartmentHost(DATABASE_URL, process.env, Number(INGEST_PORT)),
);
