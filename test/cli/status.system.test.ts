import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { reportSkip } from '../helpers/report-skip.ts';
import { source } from '../admin/admin-rig.ts';
import { type AdminCliRig, TOKEN, event, openAdminCliRig } from './admin-cli-rig.ts';
import { run } from './command-line.ts';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';

let rig: AdminCliRig;

beforeEach(async () => {
  rig = await openAdminCliRig();
});

afterEach(() => rig.relay.close());

function printed(...words: string[]) {
  return rig.cli('status', '--interval', '0.1', ...words);
}

describe('status, printed once', () => {
  it('without a terminal: intake, backlog, destinations, dead letters and the ledger, in 80 columns without colours', async () => {
    const dead = await rig.post(event('e-1', 11));
    await rig.relay.moveToDeadLetters();
    await rig.post(event('e-2', 12));
    await rig.cli('destinations', 'pause', 'acme-aep');
    const ended = await printed();
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    const lines = ended.stdout.trimEnd().split('\n');
    const order = [
      `capillary-relay  ${rig.url}  `,
      'intake    open',
      'webhooks  2 accepted, 0 duplicate, none refused ',
      'rates     0.0 accepted/s, 0.0 delivered/s, 0.0 dead/s',
      'backlog   1, oldest ',
      'DESTINATION  STATE    PENDING  OLDEST',
      'acme-aep     paused         1',
      '  operator',
      '    capillary-relay destinations resume acme-aep --url ',
      'other-aep    flowing        0',
      'LATEST DEAD LETTERS',
      dead,
      'accepted 2 = pending 1 + delivered 0 + ignored 0 + dead 1',
    ];
    const places = order.map((text) => lines.findIndex((line) => line.startsWith(text)));
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(lines[places[6]!]).toContain('0 of 8');
    expect(lines[places[11]!]).toMatch(/rejected +pointsIssued$/);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(stripVTControlCharacters(ended.stdout)).toBe(ended.stdout);
  });

  it('rates are the growth of the counters of /metrics between two samples', async () => {
    const { accepted, delivered, dead } = rig.relay.metrics;
    // Each scrape sees this many more.
    rig.relay.state.refresh = async () => {
      accepted.inc({ source: 'acme', event_name: 'a' }, 30);
      accepted.inc({ source: 'beta', event_name: 'b' }, 10);
      delivered.inc({ destination: 'acme-aep', event_name: 'a' }, 20);
      dead.inc({ destination: 'acme-aep', reason: 'rejected' }, 1);
    };
    const ended = await printed('--json');
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    const { rates } = JSON.parse(ended.stdout);
    expect(rates.seconds).toBeGreaterThan(0.09);
    expect(rates.accepted * rates.seconds).toBeCloseTo(40, 6);
    expect(rates.delivered * rates.seconds).toBeCloseTo(20, 6);
    expect(rates.dead * rates.seconds).toBeCloseTo(1, 6);
  });

  it('--json contains the answers of the admin API', async () => {
    await rig.post(event('e-1', 11));
    const { problems, health, intake, ledger, destinations, deadLetters, url } = JSON.parse(
      (await printed('--json')).stdout,
    );
    expect({ url, deadLetters, problems }).toEqual({ url: rig.url, deadLetters: [], problems: [] });
    expect(health).toMatchObject({ status: 'ok' });
    expect(intake).toMatchObject({ minutes: 15, open: true, sources: [{ source: 'acme' }] });
    expect(ledger).toMatchObject({ accepted: 1, pending: 1, balanced: true });
    expect(destinations[0]).toMatchObject({ name: 'acme-aep', concurrency: { used: 0, limit: 8 } });
  });

  it('refused webhooks: by source and status, with the command that shows them, and exits with 1', async () => {
    rig.relay.sources.set([source('acme'), source('b'.repeat(63))]);
    const sender = { 'x-relay-key': 'wrong' };
    for (const name of ['acme', 'b'.repeat(63)]) await rig.relay.webhook(name, event('e-1', 11), sender);
    await rig.relay.webhook('made-up-by-a-sender', event('e-1', 11));
    const ended = await printed();
    expect(ended.code).toBe(1);
    expect(ended.stdout).toContain('  acme: 1 × 401 not-verified, the last ');
    expect(ended.stdout).toContain('    1 in quarantine, the newest ');
    expect(ended.stdout).toContain(
      'exit code 1: source acme refused every webhook of the last 15 minutes\nexit code 1: source\n  bbb',
    );
    expect(ended.stdout).toContain(`    capillary-relay quarantine list --source acme --url ${rig.url}\n`);
    expect(ended.stdout).toContain('  unknown sources: 1 × 404 unknown-source');
    expect(ended.stdout).not.toContain('made-up-by-a-sender');
    const widths = ended.stdout.split('\n').map((line) => line.length);
    expect(Math.max(...widths)).toBeLessThanOrEqual(80);
  });

  it('a destination that a fault has paused exits with 1, one that an operator has paused does not', async () => {
    const { destinations } = rig.relay.parts;
    const list = destinations.list.bind(destinations);
    Object.assign(destinations, {
      list: async () => (await list()).map((one) => ({ ...one, state: 'paused', reason: 'unauthorized' })),
    });
    const ended = await printed('--once');
    expect(ended.code).toBe(1);
    expect(ended.stdout).toContain(`    capillary-relay destinations list --url ${rig.url}\n`);
    expect(ended.stdout).toContain('exit code 1: destination acme-aep is paused: unauthorized\n');
  });

  it('a secret file that cannot be used: says so, and exits with 1', async () => {
    rig.relay.metrics.secretFilesUnusable.set({}, 1);
    const ended = await printed();
    expect(ended.code).toBe(1);
    expect(ended.stdout).toContain('secrets   1 secret file cannot be used: capillary-relay check\n');
    expect(ended.stdout).toContain('exit code 1: a secret file cannot be used\n');
  });

  it('a closed intake: says why, and exits with 1', async () => {
    rig.relay.state.ready = async () => [
      { name: 'journal', ok: false, detail: 'the disk is full' },
      { name: 'delivery/acme-aep', ok: false, detail: 'events are due' },
    ];
    const ended = await printed();
    expect(ended.code).toBe(1);
    expect(ended.stdout).toContain('intake    CLOSED, webhooks are answered 503: the disk is full\n');
    expect(ended.stdout).toContain('failing   delivery/acme-aep: events are due\n');
  });

  it('a relay that is unreachable, or refuses: one line, and exits with 1', async () => {
    const away = await run(['status', '--once', '--url', 'http://127.0.0.1:2']);
    expect(away).toMatchObject({ code: 1, stdout: '' });
    expect(away.stderr).toContain('no relay answers at http://127.0.0.1:2: the connection was refused');
    const refused = await run(['status', '--once', '--url', rig.url, '--token', 'guessed']);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('The bearer token is wrong');
  });
});

const hasScript = spawnSync('script', ['--version']).stdout?.includes('util-linux') ?? false;
if (!hasScript) reportSkip('status on a terminal', '`script` of util-linux is not installed');

/** Runs the program on a terminal of 80 columns; `shows` waits for a text in its output. */
function onTerminal(words: string, env: Record<string, string> = {}, rows = 24) {
  const command = `stty cols 80 rows ${rows}; ${process.execPath} --disable-warning=ExperimentalWarning ${MAIN} ${words}; code=$?; stty -a; exit $code`;
  const child: ChildProcess = spawn('script', ['-qfec', command, '/dev/null'], {
    // Nothing else is inherited: CI, NO_COLOR and similar variables change the colours.
    env: { PATH: process.env['PATH'], TERM: 'xterm', RELAY_ADMIN_TOKEN: TOKEN, ...env },
  });
  let output = '';
  child.stdout!.on('data', (data: Buffer) => (output += data.toString()));
  const ended = once(child, 'close').then(([code]) => code as number);
  return {
    ended,
    output: () => output,
    press: (keys: string) => child.stdin!.write(keys),
    shows: async (text: string, from = 0): Promise<number> => {
      while (output.indexOf(text, from) < 0) {
        const more = await Promise.race([once(child.stdout!, 'data'), ended]);
        if (typeof more === 'number')
          throw new Error(`it exited with ${more} and never showed ${text}: ${output}`);
      }
      return output.indexOf(text, from) + text.length;
    },
  };
}

describe.runIf(hasScript)('status, live on a terminal', () => {
  it.each([
    ['q', 'q'],
    ['Ctrl-C', '\x03'],
  ])('redraws; %s restores the terminal and exits with 0', async (_name, key) => {
    const screen = onTerminal(`status --interval 0.1 --url ${rig.url}`);
    const first = await screen.shows('accepted 0 = pending 0');
    await rig.post(event('e-1', 11));
    await screen.shows('accepted 1 = pending 1', first);
    screen.press(key);
    expect(await screen.ended).toBe(0);
    const [shown = '', after = ''] = screen.output().split(LEAVE);
    expect(shown).toContain('\x1b[32m');
    expect(after).toMatch(/[^-]icanon/);
    expect(after).toMatch(/ echo /);
    const widths = stripVTControlCharacters(shown)
      .split('\r\n')
      .map((line) => line.length);
    expect(Math.max(...widths)).toBeLessThanOrEqual(80);
  });

  it('a low terminal: the ledger and how to quit stay, and a line says what is missing', async () => {
    await rig.relay.webhook('acme', event('e-1', 11), { 'x-relay-key': 'wrong' });
    const screen = onTerminal(`status --interval 0.1 --url ${rig.url}`, { NO_COLOR: '1' }, 12);
    await screen.shows('q to quit');
    screen.press('q');
    expect(await screen.ended).toBe(0);
    const [first = ''] = screen.output().split('\x1b[J');
    const lines = stripVTControlCharacters(first).split('\r\n');
    expect(lines).toHaveLength(12);
    const order = ['  acme: 1 × 401', '  … 4 more lines', 'acme-aep ', 'accepted 0 = ', 'q to quit'];
    const places = order.map((text) => lines.findIndex((line) => line.startsWith(text)));
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((x, y) => x - y));
    expect(places.at(-1)).toBe(11);
  });

  it('NO_COLOR: no colours', async () => {
    const screen = onTerminal(`status --interval 0.1 --url ${rig.url}`, { NO_COLOR: '1' });
    await screen.shows('accepted 0 = pending 0');
    screen.press('q');
    expect(await screen.ended).toBe(0);
    // oxlint-disable-next-line no-control-regex -- the test looks for colours
    expect(screen.output()).not.toMatch(/\x1b\[\d+m/);
  });

  it('a relay that goes away: says so in one red line, and greys what it knew with its age', async () => {
    const screen = onTerminal(`status --interval 0.1 --url ${rig.url}`);
    const first = await screen.shows('accepted 0 = pending 0');
    await rig.relay.admin.close();
    const red = '\x1b[31mno relay answers: the connection was refused; retrying\x1b[39m';
    const gone = await screen.shows(red, first);
    await screen.shows('the data below is ', gone);
    await screen.shows('\x1b[2mintake    open\x1b[22m', gone);
    screen.press('q');
    expect(await screen.ended).toBe(0);
  });

  it('a relay that is unreachable is retried until it answers', async () => {
    const port = Number(new URL(rig.url).port);
    await rig.relay.admin.close();
    const screen = onTerminal(`status --interval 0.1 --url ${rig.url}`);
    const away = await screen.shows('no relay answers: the connection was refused; retrying');
    const back = createServer((request, response) => {
      const answers: Record<string, object> = {
        '/readyz': { status: 'ok', checks: [] },
        '/admin/v1/destinations': { destinations: [] },
        '/admin/v1/replicas': { replicas: [] },
        '/admin/v1/enrichment': { sources: [] },
        '/admin/v1/reconciliation': { sources: [], destinations: [], runs: [] },
        '/admin/v1/intake': {
          minutes: 15,
          since: new Date().toISOString(),
          open: true,
          sources: [],
          otherPaths: 0,
        },
        '/admin/v1/ledger': {
          accepted: 7,
          pending: 7,
          delivered: 0,
          ignored: 0,
          dead: 0,
          balanced: true,
          sources: {},
        },
      };
      response.end(JSON.stringify(answers[request.url!] ?? { deadLetters: [] }));
    }).listen(port, '127.0.0.1');
    await once(back, 'listening');
    expect((back.address() as AddressInfo).port).toBe(port);
    await screen.shows('accepted 7 = pending 7', away);
    screen.press('q');
    expect(await screen.ended).toBe(0);
    back.closeAllConnections();
    back.close();
  });

  it('a wrong token is not retried', async () => {
    const screen = onTerminal(`status --url ${rig.url}`, { RELAY_ADMIN_TOKEN: 'guessed' });
    expect(await screen.ended).toBe(1);
    expect(screen.output().split(LEAVE)[1]).toContain('The bearer token is wrong: it is not the admin.token');
  });
});

describe.runIf(hasScript)('lists on a terminal', () => {
  it.each(['destinations list', 'quarantine list', 'dead-letters list', 'events'])(
    '%s fits 80 columns, and is whole in a pipe',
    async (words) => {
      await rig.relay.webhook('acme', event('e-1', 11), { 'x-relay-key': 'wrong' });
      await rig.post(event('e-2', 12));
      await rig.relay.moveToDeadLetters();
      await rig.cli('destinations', 'pause', 'acme-aep');
      const screen = onTerminal(`${words} --url ${rig.url}`, { NO_COLOR: '1' });
      expect(await screen.ended).toBe(0);
      const [shown = ''] = screen.output().split(/\r?\nspeed /);
      const widths = (text: string): number[] => text.split(/\r?\n/).map((line) => line.length);
      expect(Math.max(...widths(shown))).toBeLessThanOrEqual(80);
      const piped = await rig.cli(...words.split(' '));
      expect(Math.max(...widths(piped.stdout))).toBeGreaterThan(80);
    },
  );
});
