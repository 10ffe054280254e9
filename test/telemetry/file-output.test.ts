import { describe, expect, it, vi } from 'vitest';
import { createFileOutput } from '../../src/telemetry/file-output.ts';

/** A disk with room for `room` bytes. Writes of the helper thread wait for `run`. */
function disk(maxWaitingBytes = 1_000) {
  const state = { room: 1_000, text: '', error: 'ENOSPC', attempts: 0 };
  const queue: (() => void)[] = [];
  const atOnce = (bytes: Uint8Array): number => {
    state.attempts += 1;
    if (state.room === 0) throw Object.assign(new Error(state.error), { code: state.error });
    const taken = bytes.subarray(0, state.room);
    state.room -= taken.length;
    state.text += Buffer.from(taken).toString();
    return taken.length;
  };
  const output = createFileOutput({
    maxWaitingBytes,
    droppedLine: (lines, error) => `dropped ${lines} ${error}\n`,
    writer: {
      later: (bytes, done) =>
        void queue.push(() => {
          let count: number;
          try {
            count = atOnce(bytes);
          } catch (error) {
            return done(error as Error, 0);
          }
          done(null, count);
        }),
      atOnce,
    },
  });
  const run = (): void => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) next();
  };
  return { state, output, run };
}

describe('createFileOutput', () => {
  it('writes one chunk at a time, in order, with what came in the meantime', () => {
    const { state, output, run } = disk();
    for (const line of ['one\n', 'two\n', 'three\n']) output.write(line);
    expect(state.text).toBe('');
    run();
    expect([state.text, state.attempts]).toEqual(['one\ntwo\nthree\n', 2]);
  });

  it.each(['ENOSPC', 'EIO', 'EDQUOT', 'EFBIG', 'EBADF', 'EPIPE'])(
    'drops lines at %s, tries again with the next ones only, and then says how many are missing',
    (code) => {
      const { state, output, run } = disk();
      Object.assign(state, { room: 0, error: code });
      output.write('line 1\nline 2\n');
      output.write('line 3\n');
      run();
      expect(state.attempts).toBe(1);
      output.write('line 4\n');
      run();
      expect(state.attempts).toBe(2);
      state.room = 1_000;
      output.write('line 5\n');
      run();
      output.write('line 6\n');
      run();
      expect(state.text).toBe(`dropped 4 ${code}\nline 5\nline 6\n`);
    },
  );

  it('ends a line that was cut by a full disk before it goes on, and counts it as dropped', () => {
    const { state, output, run } = disk();
    state.room = 10;
    output.write('line 1\nline 2\nline 3\n');
    run();
    expect(state.text).toBe('line 1\nlin');
    state.room = 1_000;
    output.write('line 4\n');
    run();
    expect(state.text).toBe('line 1\nlin\ndropped 2 ENOSPC\nline 4\n');
  });

  it('repeats the line about dropped lines if the disk is full again within it', () => {
    const { state, output, run } = disk();
    state.room = 0;
    output.write('line 1\n');
    run();
    state.room = 4;
    output.write('line 2\n');
    run();
    state.room = 1_000;
    output.write('line 3\n');
    run();
    expect(state.text).toBe('drop\ndropped 2 ENOSPC\nline 3\n');
  });

  it('drops and counts lines that a slow disk leaves no room for', () => {
    const { state, output, run } = disk(14);
    for (let line = 1; line <= 5; line += 1) output.write(`line ${line}\n`);
    run();
    expect(state.text).toBe('line 1\ndropped 2 undefined\nline 2\nline 3\n');
  });

  it('tries a full terminal again and keeps the lines', () => {
    vi.useFakeTimers();
    const { state, output, run } = disk();
    Object.assign(state, { room: 0, error: 'EAGAIN' });
    output.write('line 1\n');
    run();
    state.room = 1_000;
    vi.advanceTimersByTime(100);
    run();
    expect(state.text).toBe('line 1\n');
    vi.useRealTimers();
  });

  it.each(['ENOSPC', 'EAGAIN'])('ends a flush although nothing can be written: %s', (code) => {
    const { state, output } = disk();
    Object.assign(state, { room: 0, error: code });
    const started = performance.now();
    output.writeAtOnce('line 1\n');
    output.flushSync();
    expect(performance.now() - started).toBeLessThan(3_000);
    expect(state.text).toBe('');
  });
});
