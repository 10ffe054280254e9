import { readdirSync } from 'node:fs';
import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../src/monitoring/metrics.ts';
import { parseCommand } from '../docs/parse-command.ts';
import { relayWords, shellLines } from '../docs/shell-lines.ts';
import { pathOf, textOf, treeOf } from './files.ts';

interface Alert {
  readonly alert: string;
  readonly annotations: { readonly description: string; readonly runbook_url: string };
}

const RUNBOOK = textOf('docs/runbook.md');
const alerts: Alert[] = treeOf('deploy/prometheus/alerts.yaml')
  .groups.flatMap((group: { rules: (Alert | { record: string })[] }) => group.rules)
  .filter((rule: object) => 'alert' in rule);
const sections = RUNBOOK.split('\n## ')
  .slice(1)
  .map((text) => ({ title: text.split('\n')[0] ?? '', text }))
  .filter(({ title }) => title !== 'Before you begin');

/** Commands in shell blocks and inline commands. */
const blockLines = shellLines('docs/runbook.md');
function inlineCommands(text: string): string[] {
  return [...text.matchAll(/`(capillary-relay [^`]+)`/g)].map(([, line = '']) =>
    line.replaceAll(/\{\{[^}]*\}\}/g, 'name'),
  );
}
const commands = new Set([
  ...blockLines.filter((line) => line.startsWith('capillary-relay ')),
  ...inlineCommands(RUNBOOK),
  ...alerts.flatMap(({ annotations }) => inlineCommands(annotations.description)),
]);

/** The error message of the program for a command line; undefined if it is valid. */
async function usageErrorOf(line: string): Promise<string | undefined> {
  try {
    await parseCommand(relayWords(line) ?? []);
    return undefined;
  } catch (error) {
    return error instanceof CommanderError ? error.message : String(error);
  }
}

describe('the runbook', () => {
  it('has exactly one section for each alert, with its name as title', () => {
    expect(sections.map(({ title }) => title).toSorted()).toEqual(
      alerts.map(({ alert }) => alert).toSorted(),
    );
  });

  it.each(alerts)('$alert links to its section', ({ alert, annotations }) => {
    expect(annotations.runbook_url).toBe(`docs/runbook.md#${alert.toLowerCase()}`);
  });

  it.each(sections)(
    '$title says what it means, what to check first, how to fix it, and a command',
    ({ text }) => {
      for (const part of ['**Meaning.** ', '**First checks.** ', '**Fix.** ', '```sh\n'])
        expect(text).toContain(part);
    },
  );

  it.each([...commands])('%s', async (line) => {
    expect(await usageErrorOf(line)).toBeUndefined();
  });

  it('contains only commands of the relay and health requests', () => {
    const others = blockLines.filter((line) => !line.startsWith('capillary-relay '));
    expect(new Set(others)).toEqual(
      new Set([
        `node -e "fetch('http://127.0.0.1:8081/livez').then(async (r) => console.log(r.status, await r.text()))"`,
      ]),
    );
  });

  it('has commands that run in a pod as they stand: RELAY_CONFIG names the configuration', () => {
    const withFile = [...commands].filter((line) => /--config|--token|relay\.yaml/.test(line));
    expect(withFile).toEqual([]);
  });

  it('has checks that detect unknown commands and options', async () => {
    for (const line of [
      'capillary-relay nothing',
      'capillary-relay ledger --since 2h',
      'capillary-relay dead-letters list --limit x',
      'capillary-relay explain',
    ]) {
      expect(await usageErrorOf(line)).toMatch(/\w/);
    }
  });

  it('names only existing metrics and links only to existing sections', () => {
    const { labels } = createMetrics();
    for (const [, name = ''] of RUNBOOK.matchAll(/`(relay_\w+)/g)) expect([...labels.keys()]).toContain(name);
    const anchors = sections.map(({ title }) => title.toLowerCase());
    for (const [, anchor = ''] of RUNBOOK.matchAll(/\]\(#([\w-]+)\)/g)) expect(anchors).toContain(anchor);
  });
});

describe('the tests of the rules', () => {
  it('make every alert fire', () => {
    const folder = 'deploy/prometheus/tests';
    const texts = readdirSync(pathOf(folder)).map((name) => textOf(`${folder}/${name}`));
    const untested = alerts.filter(
      ({ alert }) =>
        !texts.some((text) => text.includes(`alertname="${alert}"`) || text.includes(`: ${alert}\n`)),
    );
    expect(untested.map(({ alert }) => alert)).toEqual([]);
  });
});
