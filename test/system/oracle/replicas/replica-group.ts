import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TcpBalancer } from '../../../helpers/tcp-balancer.ts';
import { TcpProxy } from '../../../helpers/tcp-proxy.ts';
import { type RelayConfig, type RelayProcess, relayFolder } from '../../../helpers/relay-process.ts';
import type { Findings } from '../findings.ts';
import type { RelaysUnderTest } from '../relays-under-test.ts';
import { auditDatabase } from './database-audit.ts';
import { DatabasePair, type Site, SITES } from './database-pair.ts';
import { checkReplicas } from './replica-checks.ts';

const SCHEMA = 'relay';
/** As the first restarts of a pod. */
const RESTART_DELAY_MS = 1_000;
const MAX_STARTS = 3;
const KEPT_LEVELS: readonly unknown[] = ['warn', 'error', 'fatal'];

/** One of the relays, whose connections to each server go through a proxy of its own. */
export interface Replica {
  readonly name: string;
  readonly folder: ReturnType<typeof relayFolder>;
  readonly proxies: readonly [TcpProxy, TcpProxy];
  /** Undefined while it does not run. */
  relay?: RelayProcess | undefined;
  /** It does not run, or not all of the time: no other fault is to hit it. */
  isDisturbed: boolean;
}

/** Relays on one database behind a balancer. */
export interface ReplicaGroup extends RelaysUnderTest {
  readonly replicas: readonly Replica[];
  readonly database: DatabasePair;
  readonly startupTimesMs: readonly number[];
  /** Resolves once each has been started. */
  whenAllRun(): Promise<void>;
  /** Starts it and resolves once it is ready. */
  start(replica: Replica): Promise<void>;
  kill(replica: Replica): Promise<void>;
  shutDown(replica: Replica): Promise<void>;
  /** SIGSTOP: it keeps its connections and answers nothing, until `thaw`. */
  freeze(replica: Replica): void;
  thaw(replica: Replica): void;
}

export interface ReplicaGroupOptions {
  readonly count: number;
  readonly connections: number;
  readonly log: (text: string) => void;
  /** A folder for the log of each relay; by default only what goes wrong is kept, in memory. */
  readonly logs?: string | undefined;
}

function logLine(folder: string, { name }: Pick<Replica, 'name'>, line: Record<string, unknown>): void {
  appendFileSync(join(folder, `${name}.ndjson`), `${JSON.stringify(line)}\n`);
}

function storeOf({ proxies }: Pick<Replica, 'proxies'>, connections: number): RelayConfig['store'] {
  const hosts = proxies.map(({ port }) => `127.0.0.1:${port}`).join(',');
  return {
    engine: 'postgres',
    url: `postgres://relay@${hosts}/postgres?target_session_attrs=read-write`,
    schema: SCHEMA,
    connections,
  };
}

export async function createReplicaGroup(
  config: RelayConfig,
  findings: Findings,
  options: ReplicaGroupOptions,
): Promise<ReplicaGroup> {
  const ports = new Map<Site, number>();
  const replicas: Replica[] = [];
  const database = await DatabasePair.create((site, port) => {
    ports.set(site, port);
    for (const { proxies } of replicas) proxies[site].target = port;
  }, options.logs);
  const balancer = await TcpBalancer.create();
  const startupTimesMs: number[] = [];
  const allRun = Promise.withResolvers<void>();
  for (let index = 0; index < options.count; index += 1) {
    const proxies = [await TcpProxy.to(ports.get(0)!), await TcpProxy.to(ports.get(1)!)] as const;
    const folder = relayFolder({ ...config, store: storeOf({ proxies }, options.connections) });
    replicas.push({ name: `relay ${index + 1}`, folder, proxies, isDisturbed: true });
  }

  /** A relay that finds no database for half a minute ends, and is started again. */
  const startAgain = async (replica: Replica): Promise<RelayProcess> => {
    for (let attempts = 1; ; attempts += 1) {
      try {
        return await replica.folder.start({
          keepLine(line) {
            if (options.logs !== undefined) logLine(options.logs, replica, line);
            return KEPT_LEVELS.includes(line['level']);
          },
        });
      } catch (error) {
        options.log(`${replica.name} did not start: ${(error as Error).message}`);
        if (attempts === MAX_STARTS) throw error;
        await sleep(RESTART_DELAY_MS);
      }
    }
  };

  const start = async (replica: Replica): Promise<void> => {
    const started = performance.now();
    const relay = await startAgain(replica);
    startupTimesMs.push(performance.now() - started);
    replica.relay = relay;
    replica.isDisturbed = false;
    balancer.add({ port: Number(new URL(relay.intakeUrl).port), readyUrl: `${relay.adminUrl}/readyz` });
  };

  const stop = async (replica: Replica, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> => {
    const { relay } = replica;
    if (relay === undefined) return;
    replica.isDisturbed = true;
    const code = await relay.stop(signal);
    replica.relay = undefined;
    balancer.remove(Number(new URL(relay.intakeUrl).port));
    if (signal === 'SIGTERM' && code !== 0)
      findings.add(
        `${replica.name}: exit code ${code} after SIGTERM: ${JSON.stringify(relay.log.slice(-3))}`,
      );
  };

  const whenReady = async (): Promise<RelayProcess> => {
    for (;;) {
      const relay = replicas.find(({ isDisturbed }) => !isDisturbed)?.relay;
      if (relay !== undefined) return relay;
      await sleep(20);
    }
  };

  return {
    replicas,
    database,
    startupTimesMs,
    config: { ...config, store: storeOf(replicas[0]!, options.connections) },
    configFile: replicas[0]!.folder.file,
    start,
    kill: (replica) => stop(replica, 'SIGKILL'),
    shutDown: (replica) => stop(replica, 'SIGTERM'),
    freeze(replica) {
      replica.isDisturbed = true;
      if (replica.relay) process.kill(replica.relay.pid, 'SIGSTOP');
    },
    thaw(replica) {
      if (replica.relay) process.kill(replica.relay.pid, 'SIGCONT');
      replica.isDisturbed = false;
    },
    whenReady,
    whenAllRun: () => allRun.promise,
    async whenLearnt() {
      // A relay reads what is known when it starts.
      await Promise.all(replicas.filter(({ relay }) => relay === undefined).map(start));
      allRun.resolve();
    },
    intakeUrl: async () => balancer.url,
    async acceptance() {
      const rows = await database.primary.query(`SELECT receipt::text, seq FROM ${SCHEMA}.events`);
      return new Map(rows.map(({ receipt, seq }) => [String(receipt), Number(seq)] as const));
    },
    async checkRunning(ledger) {
      await checkReplicas(
        replicas.map(({ relay }) => relay!),
        ledger,
        findings,
      );
    },
    async stop() {
      await Promise.all(replicas.map((replica) => stop(replica, 'SIGTERM')));
    },
    checkStore: () => auditDatabase(database.primary.url(), SCHEMA, findings),
    async remove() {
      await Promise.all(replicas.map(({ folder }) => folder.remove()));
      await balancer.close();
      await Promise.all(replicas.flatMap(({ proxies }) => SITES.map((site) => proxies[site].close())));
      await database.remove();
    },
  };
}
