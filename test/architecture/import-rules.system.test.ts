import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

let folder: string | undefined;
afterEach(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true });
  folder = undefined;
});

/**
 * Runs the rules of `npm run check:imports` over a folder with these files.
 * @returns names of the broken rules
 */
function brokenRules(files: Readonly<Record<string, string>>): string[] {
  folder = mkdtempSync(join(tmpdir(), 'import-rules-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const tool = join(ROOT, 'node_modules/.bin/depcruise');
  const rules = join(ROOT, '.dependency-cruiser.mjs');
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [tool, '--config', rules, '--output-type', 'json', 'src'],
    { cwd: folder, encoding: 'utf8' },
  );
  expect(stderr).toBe('');
  const { summary } = JSON.parse(stdout) as { summary: { violations: { rule: { name: string } }[] } };
  return summary.violations.map(({ rule }) => rule.name);
}

const LEAF = 'export const leaf = 1;\n';

describe('npm run check:imports', () => {
  it('accepts imports that go down', () => {
    const files = {
      'src/telemetry/log.ts': LEAF,
      'src/delivery/sender.ts': "import { leaf } from '../telemetry/log.ts';\nexport const sender = leaf;\n",
    };
    expect(brokenRules(files)).toEqual([]);
  });

  it.each<[what: string, rule: string, files: Record<string, string>]>([
    [
      'an import that goes up',
      'layer-journal',
      {
        'src/delivery/sender.ts': LEAF,
        'src/journal/journal.ts':
          "import { leaf } from '../delivery/sender.ts';\nexport const journal = leaf;\n",
      },
    ],
    [
      'an import that goes up, of a type only',
      'layer-delivery',
      {
        'src/admin/destinations.ts': 'export interface Directory {}\n',
        'src/delivery/sender.ts':
          "import type { Directory } from '../admin/destinations.ts';\nexport type Sender = Directory;\n",
      },
    ],
    [
      'a circle of two files, of types only',
      'no-circle',
      {
        'src/mapping/one.ts': "import type { Two } from './two.ts';\nexport type One = Two | 1;\n",
        'src/mapping/two.ts': "import type { One } from './one.ts';\nexport type Two = One | 2;\n",
      },
    ],
    [
      'the type of an engine outside it',
      'engine-is-private',
      {
        'src/journal/sqlite/thread/protocol.ts': 'export interface Call {}\n',
        'src/monitoring/reports.ts':
          "import type { Call } from '../journal/sqlite/thread/protocol.ts';\nexport type Report = Call;\n",
      },
    ],
    [
      'monitoring known to a stage',
      'only-relay-monitors',
      {
        'src/monitoring/metrics.ts': LEAF,
        'src/cli/serve.ts': "import { leaf } from '../monitoring/metrics.ts';\nexport const serve = leaf;\n",
      },
    ],
    [
      'a concrete part known to another than relay.ts',
      'only-relay-wires',
      {
        'src/adobe/inlet/inlet-client.ts': LEAF,
        'src/delivery/request.ts':
          "import { leaf } from '../adobe/inlet/inlet-client.ts';\nexport const request = leaf;\n",
      },
    ],
    ['a folder without a rule', 'known-folder', { 'src/helpers/any.ts': "import 'node:fs';\n" }],
  ])('refuses %s', (_what, rule, files) => {
    expect(brokenRules(files)).toContain(rule);
  });
});
