import { type Command, Option } from 'commander';
import { createEgress, type Egress } from '../../http/egress.ts';
import { CONFIGURED } from '../completion/configured-names.ts';
import { suggestValues } from '../completion/suggested-values.ts';
import { printJson } from '../admin-client.ts';
import { EXIT } from '../command-error.ts';
import { configOption, loadForProvision } from '../command-config.ts';
import type { Finding } from '../doctor/finding.ts';
import { countFindings, formatCountedFindings } from '../doctor/finding-lines.ts';
import { connectionFindings } from '../doctor/network-findings.ts';
import { durationBetween } from '../duration-option.ts';
import { formatDuration } from '../time-format.ts';
import { SETTLE_MS } from './dataflow-settle.ts';
import { openTargets, type ProvisionTarget } from './provision-target.ts';
import type { SentProbe } from './verify/probe.ts';
import { probeDestination } from './verify/run-probe.ts';
import { verifyDestination, type VerifyClock } from './verify/verify-destination.ts';

const HELP = `
Only reads, and needs View Schemas, View Identity Namespaces, View Datasets and View Sources. It compares what exists in AEP with the
configuration, whoever has made it: token, sandbox and permissions, tenant, namespaces and their types, schemas (class, Profile, every field that the
configuration can write), datasets, dataflows and their connection, the inlet, and what failed in the last 24 hours.

--probe also sends one record of a reserved test identity to each dataflow and follows it into the data lake and Profile (View Profiles).
It stays in the sandbox. A dataflow that is too young gets none.

Exit code: 0 nothing failed, perhaps with warnings; 1 something failed; 2 the configuration has problems.

Examples:
  $ capillary-relay provision verify --config relay.yaml
  $ capillary-relay provision verify --config relay.yaml --probe
  $ capillary-relay provision verify --config relay.yaml --destination acme-aep --json`;

const DEFAULT_TIMEOUT_MS = 20 * 60_000;

interface VerifyOptions {
  readonly config: string;
  readonly destination?: string;
  readonly probe?: boolean;
  /** ms. */
  readonly timeout: number;
  /** ms. */
  readonly settle: number;
  readonly json?: boolean;
}

/** Both ask for a token; one finding about it is enough. */
function joined(platform: readonly Finding[], inlet: readonly Finding[]): Finding[] {
  const failed = new Set(inlet.filter(({ level }) => level === 'fail').map(({ check }) => check));
  return [...platform.filter(({ check }) => !failed.has(check)), ...inlet];
}

async function findingsOf(
  target: ProvisionTarget,
  sources: Parameters<typeof verifyDestination>[1],
  egress: Egress,
  clock: VerifyClock,
): Promise<Finding[]> {
  const [platform, inlet] = await Promise.all([
    verifyDestination(target, sources, clock),
    target.missing.has('inletUrl') ? [] : connectionFindings(target.destination, egress),
  ]);
  return joined(platform, inlet);
}

function showWait({ record }: SentProbe, waitedMs: number): void {
  console.log(`waiting for the ${record} probe, ${formatDuration(waitedMs)}`);
}

async function runVerify(options: VerifyOptions): Promise<void> {
  const { config: file, json = false, probe = false, timeout: timeoutMs, settle: settleMs } = options;
  const { loaded, missing } = await loadForProvision(file, { otherSide: 'capillary' });
  const { config } = loaded;
  const egress = createEgress(config.egress, process.env);
  const targets = openTargets(loaded, missing, options.destination);
  try {
    const findings = await Promise.all(
      targets.map(async (target) => {
        const clock = { now: Date.now(), settleMs };
        const found = await findingsOf(target, config.sources, egress, clock);
        if (!probe) return found;
        const onWait = json ? {} : { onWait: showWait };
        return [...found, ...(await probeDestination(target, { egress, timeoutMs, clock, ...onWait }))];
      }),
    ).then((found) => found.flat());
    const isOk = countFindings(findings, 'fail') === 0;
    if (json) printJson({ ok: isOk, file, findings });
    else console.log(formatCountedFindings(findings));
    process.exitCode = isOk ? EXIT.ok : EXIT.failed;
  } finally {
    for (const target of targets) await target.close();
  }
}

export function registerVerify(provision: Command): void {
  provision
    .command('verify')
    .description('compare what exists in AEP, also what was made by hand, with the configuration')
    .addOption(configOption())
    .addOption(
      suggestValues(new Option('--destination <name>', 'only this destination'), CONFIGURED.destinations),
    )
    .option('--probe', 'send a test record and follow it into the data lake and Profile')
    .addOption(
      new Option('--timeout <duration>', 'how long to wait for the test record')
        .default(DEFAULT_TIMEOUT_MS, '20m')
        .argParser(durationBetween({ min: '1s', max: '1d' })),
    )
    .addOption(
      new Option('--settle <duration>', 'how old a dataflow has to be')
        .default(SETTLE_MS, '5m')
        .argParser(durationBetween({ max: '1h' })),
    )
    .option('--json', 'print the findings as JSON')
    .addHelpText('after', HELP)
    .action(runVerify);
}
