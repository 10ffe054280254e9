import { afterEach, describe, expect, it, vi } from 'vitest';
import { adminClient } from '../../src/cli/admin-client.ts';

const config = new URL('../../examples/relay.yaml', import.meta.url).pathname;

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** What a command with these options prints on standard error before its answer. */
async function noteOf(options: Parameters<typeof adminClient>[0], isTerminal = true) {
  const before = process.stderr.isTTY;
  process.stderr.isTTY = isTerminal;
  const print = vi.spyOn(console, 'error').mockReturnValue();
  try {
    await adminClient(options);
  } finally {
    process.stderr.isTTY = before;
  }
  return print.mock.calls.flat().join('');
}

describe('the address of the relay', () => {
  it('is shown to a person who did not name it', async () => {
    vi.stubEnv('RELAY_CONFIG', '');
    expect(await noteOf({})).toContain('relay at http://127.0.0.1:8081');
  });

  it('is not repeated if it was named', async () => {
    vi.stubEnv('RELAY_CONFIG', '');
    const token = 'a-token';
    expect(await noteOf({ url: 'http://127.0.0.1:8082' })).toBe('');
    expect(await noteOf({ config, token })).toBe('');
    vi.stubEnv('RELAY_CONFIG', config);
    expect(await noteOf({ token })).toBe('');
  });

  it('is not printed for a program', async () => {
    vi.stubEnv('RELAY_CONFIG', '');
    expect(await noteOf({ json: true })).toBe('');
    expect(await noteOf({}, false)).toBe('');
  });
});
