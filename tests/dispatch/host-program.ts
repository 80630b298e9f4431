// The connector host over the departments, as a program that a test can kill.
import { runProcess } from '@weft/core/process';
import { startDepartmentHost } from './host.ts';

await runProcess('department-host', () => startDepartmentHost(process.env.DATABASE_URL ?? '', process.env));
