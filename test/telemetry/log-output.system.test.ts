import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createBufferedOutput } from '../../src/telemetry/log-output.ts';

/**
 * An output that records its writes; `next` resolves with all of them after the next asynchronous
 * write.
 */
function recorder() {
  const written: string[] = [];
  let onWrite: (() => void) | undefined;
  const later = (text: string): void => {
    written.push(`later ${text}`);
    onWrite?.();
  };
  const output = createBufferedOutput(
    { write: later, flushSync: () => void written.push('flushed') },
    { write: (text) => void written.push(`at once ${text}`) },
  );
  const next = async (): Promise<readonly string[]> => {
    // The timer of the output does not keep the process alive.
    const keepAlive = setInterval(() => undefined, 1_000);
    await new Promise<void>((resolve) => (onWrite = resolve));
    clearInterval(keepAlive);
    return written;
  };
  return { written, output, next };
}

describe('createBufferedOutput', () => {
  it('writes the lines of an interval together and in order, and later lines separately', async () => {
    const { written, output, next } = recorder();
    output.write('1\n');
    output.write('2\n');
    expect(written).toEqual([]);
    expect(await next()).toEqual(['later 1\n2\n']);
    output.write('3\n');
    expect(await next()).toEqual(['later 1\n2\n', 'later 3\n']);
  });

  it('writes buffered lines immediately on flush, after earlier writes and only once', async () => {
    const { written, output, next } = recorder();
    output.write('1\n');
    output.flushSync();
    expect(written).toEqual(['flushed', 'at once 1\n']);
    output.write('2\n');
    expect(await next()).toEqual(['flushed', 'at once 1\n', 'later 2\n']);
  });

  it('does not buffer more than fits into a pipe', async () => {
    const { output, next } = recorder();
    const line = `${'x'.repeat(999)}\n`;
    for (let n = 0; n < 20; n += 1) output.write(line);
    const written = await next();
    expect(written.map((text) => text.length - 'later '.length)).toEqual([9_000, 9_000, 2_000]);
  });
});

const LOG = fileURLToPath(new URL('../../src/telemetry/log.ts', import.meta.url));

/** Arguments of node for a program that has a logger. */
function programOf(code: string): string[] {
  return [
    '--input-type=module',
    '-e',
    `import { createLogger } from '${LOG}'; const log = createLogger({ level: 'info' }); ${code}`,
  ];
}

describe('a process whose log is not read', () => {
  const LINES = 60_000;

  it('goes on, and says later how many lines it has dropped', async () => {
    const code = `for (let n = 0; n < ${LINES}; n += 1) log.info('line'); console.error('done'); setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, programOf(code), { stdio: ['ignore', 'pipe', 'pipe'] });
    await once(child.stderr, 'data');
    let printed = 0;
    for await (const text of createInterface({ input: child.stdout })) {
      const line = JSON.parse(text) as { level: string; msg: string; dropped?: number };
      if (line.msg === 'line') printed += 1;
      if (line.dropped === undefined) continue;
      expect(line).toMatchObject({ level: 'warn', msg: expect.stringContaining('lines were dropped') });
      expect(line.dropped).toBeGreaterThan(0);
      expect(printed + line.dropped).toBe(LINES);
      child.kill('SIGKILL');
    }
    expect(printed).toBeLessThan(LINES);
  });
});

describe('a process that exits', () => {
  const linesOf = (code: string): number[] => {
    const text = execFileSync(process.execPath, programOf(code), {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return text
      .trim()
      .split('\n')
      .map((line) => Number((JSON.parse(line) as { msg: string }).msg));
  };
  const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

  it('has written the lines of its last event loop turn, in order', () => {
    const code = `for (let n = 1; n <= 50; n += 1) log.info(String(n)); process.exit(0);`;
    expect(linesOf(code)).toEqual(upTo(50));
  });

  it('has written its lines while an asynchronous write is in progress', () => {
    const code = `log.info('1'); await new Promise(setImmediate); for (let n = 2; n <= 400; n += 1) log.info(String(n)); process.exit(0);`;
    expect(linesOf(code)).toEqual(upTo(400));
  });

  it('has written its last lines after an uncaught exception', () => {
    const code = `process.on('uncaughtException', () => { log.fatal('2'); process.exit(0); }); log.info('1'); setImmediate(() => { throw new Error('end'); });`;
    expect(linesOf(code)).toEqual([1, 2]);
  });
});
