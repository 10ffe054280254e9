import { ADMIN_TOKEN, type RelayProcess, relayFolder } from '../../helpers/relay-process.ts';
import { until } from '../../helpers/until.ts';
import { type Ended, run } from '../../cli/command-line.ts';
import { type Reconciled, readReconciled } from './reconciled.ts';
import { type LandingRig, landingRig, type RigOptions } from './landing-rig.ts';

/** Several relays on one database; Capillary sends to the one of the rig. */
export interface LandingReplicas {
  readonly rig: LandingRig;
  /** Those that run. */
  running(): readonly RelayProcess[];
  /** The leader, and one that is not. */
  roles(): Promise<{ readonly leader: RelayProcess; readonly other: RelayProcess }>;
  /** Kills a replica. */
  kill(relay: RelayProcess): Promise<void>;
  /** Starts those that were killed. */
  restart(): Promise<void>;
  cli(relay: RelayProcess, ...args: readonly string[]): Promise<Ended>;
  ledger(relay: RelayProcess): Promise<any>;
  /** Asks a replica for comparisons until one of them satisfies the condition. */
  reconcileUntil(relay: RelayProcess, isEnough: (result: Reconciled) => boolean): Promise<Reconciled>;
  close(): Promise<void>;
}

async function isLeader(relay: RelayProcess): Promise<boolean> {
  const { body } = await relay.admin('/admin/v1/replicas');
  return (body.replicas as readonly Record<string, unknown>[]).some(
    (one) => one['isSelf'] && one['isLeader'],
  );
}

/**
 * @param others how many replicas there are beside that of the rig, with what is in its sources and
 *   destinations when they start
 */
export async function landingReplicas(options: RigOptions, others: number): Promise<LandingReplicas> {
  const rig = await landingRig(options);
  const folders = Array.from({ length: others }, () =>
    relayFolder({
      ...rig.config,
      server: { ...rig.config.server, port: 0 },
      admin: { ...rig.config.admin, port: 0 },
    }),
  );
  const relays: (RelayProcess | undefined)[] = folders.map(() => undefined);
  let isRigKilled = true;

  const running = (): readonly RelayProcess[] => [
    ...(isRigKilled ? [] : [rig.relay()]),
    ...relays.filter((relay) => relay !== undefined),
  ];

  const cli: LandingReplicas['cli'] = (relay, ...args) =>
    run([...args, '--url', relay.adminUrl, '--token', ADMIN_TOKEN]);

  return {
    rig,
    running,
    async roles() {
      return until(async () => {
        const all = running();
        const leads = await Promise.all(all.map(isLeader));
        const leader = all[leads.indexOf(true)];
        const other = all[leads.indexOf(false)];
        return leads.filter(Boolean).length === 1 && leader && other && { leader, other };
      });
    },
    async kill(relay) {
      const at = relays.indexOf(relay);
      if (at === -1) {
        isRigKilled = true;
        await rig.stopRelay('SIGKILL');
      } else {
        relays[at] = undefined;
        await relay.stop('SIGKILL');
      }
    },
    async restart() {
      const starts = folders.map(async (folder, at) => {
        relays[at] ??= await folder.start();
      });
      if (isRigKilled) await rig.startRelay();
      isRigKilled = false;
      await Promise.all(starts);
    },
    cli,
    ledger: async (relay) => (await relay.admin('/admin/v1/ledger')).body,
    reconcileUntil: (relay, isEnough) =>
      until(async () => {
        const result = readReconciled(await cli(relay, 'reconcile', '--json'));
        return isEnough(result) && result;
      }),
    async close() {
      await Promise.all(folders.map((folder) => folder.remove()));
      await rig.close();
    },
  };
}
