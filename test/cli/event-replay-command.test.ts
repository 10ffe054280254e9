import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Command } from 'commander';
import { createProgram } from '../../src/cli/program.ts';
import { exitCodeOf } from '../../src/cli/command-error.ts';
import { type AdminRig, startAdminRig } from '../admin/admin-rig.ts';
import { transactionAdded } from '../fixtures/events.ts';

let rig: AdminRig;
beforeAll(async () => {
  rig = await startAdminRig();
  await rig.webhook('acme', transactionAdded(1));
  await rig.moveToDeadLetters();
});
afterAll(() => rig.close());

function silence(command: Command): void {
  command.exitOverride().configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
  command.commands.forEach(silence);
}

/** What a command says that is refused, and its exit code. */
async function refusalOf(...words: string[]) {
  const url = `http://127.0.0.1:${(rig.admin.server.address() as AddressInfo).port}`;
  const args = ['events', 'replay', ...words, '--url', url];
  const program = await createProgram(args);
  silence(program);
  const error = await program.parseAsync(args, { from: 'user' }).then(
    () => new Error('not refused'),
    (reason: unknown) => reason as Error,
  );
  return { code: exitCodeOf(error), text: error.message };
}

describe('events replay', () => {
  it.each([
    [[], 'specify receipts or a filter, or pass --all'],
    [['--all'], 'say which events of the filter: --states delivered,ignored,dead, or some of them'],
    [['--states', 'delivered'], 'specify receipts or a filter, or pass --all'],
    [['x', '--states', 'dead', '--all'], 'specify either receipts, a filter or --all'],
    [['--states', 'deliverd', '--all', '--yes'], 'did you mean `delivered`?'],
    [['--state', 'malformed', '--all', '--yes'], 'dead-letters/replay'],
    [['--states', 'dead', '--source', 'acm', '--yes'], 'did you mean `acme`?'],
    [['--states', 'dead', '--filter', 'destination=acme-ape', '--yes'], 'did you mean `acme-aep`?'],
    [['--states', 'dead', '--filter', 'sorce=acme'], 'Did you mean source?'],
    [['--states', 'dead', '--filter', 'color=red'], 'The fields are source, destination,'],
    [['--states', 'dead', '--filter', 'source'], 'It must be field=value'],
    [['--states', 'dead', '--filter', 'states=dead'], 'given by --states'],
    [['--states', 'dead', '--filter', 'source=a', '--filter', 'source=b'], 'It has source twice'],
    [['--states', 'dead', '--filter', 'source=a', '--source', 'b'], 'source is given twice'],
    [
      ['--states', 'dead', '--settled-since', '1h', '--settled-until', '2h', '--yes'],
      'later than settledSince',
    ],
    [['--states', 'dead', '--all', '--limit', '5'], 'a replay has no pages'],
    [['--states', 'dead', '--all', '--follow'], 'a replay has no pages'],
    [['--states', 'dead', '--all'], 'needs --yes'],
  ])('refuses %j', async (words, text) => {
    expect(await refusalOf(...words)).toEqual({ code: 2, text: expect.stringContaining(text) });
    expect(await rig.journal.replays()).toEqual([]);
  });

  it('says that the replay may run if the answer was lost', async () => {
    const startReplay = rig.parts.journal.startReplay;
    Object.assign(rig.parts.journal, {
      startReplay: (request: Parameters<typeof startReplay>[0]) => {
        rig.admin.server.closeAllConnections();
        return startReplay(request);
      },
    });
    const { code, text } = await refusalOf('--states', 'dead', '--all', '--yes');
    expect(code).toBe(1);
    expect(text).toContain('If the request arrived, the replay runs: see events replays.');
    expect(await rig.journal.replays()).toHaveLength(1);
  });
});
