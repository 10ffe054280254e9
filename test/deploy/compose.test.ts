import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadCommandConfig } from '../../src/cli/command-config.ts';
import { createProgram } from '../../src/cli/program.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { pathOf, treeOf } from './files.ts';

interface Service {
  readonly image: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { condition: string }>>;
  readonly healthcheck?: object;
}

const compose = treeOf('docker-compose.yml');
const services: Record<string, Service> = compose.services;
const { config } = await loadCommandConfig(pathOf('deploy/compose/relay.yaml'), {});

describe('docker-compose.yml', () => {
  it('has the relay, the simulator, Prometheus and Grafana', () => {
    expect(Object.keys(services)).toEqual(['relay', 'simulator', 'prometheus', 'grafana']);
  });

  it.each(Object.entries(services))('%s has the least privileges it needs', (_name, service) => {
    expect(service).toMatchObject({
      read_only: true,
      tmpfs: ['/tmp'],
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    });
    expect(service.image).toMatch(/:(local|v?\d+\.\d+\.\d+)$/);
    // Only on loopback, because the secrets in the file are public.
    for (const port of service.ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    // The relay's image has its own health check.
    expect(service.build ?? service.healthcheck).toBeDefined();
  });

  it('mounts files that exist, read-only, and named volumes that are declared', () => {
    const volumes = Object.values(services).flatMap((service) => service.volumes ?? []);
    const [files, named] = [true, false].map((isFile) =>
      volumes.filter((volume) => volume.startsWith('./') === isFile),
    );
    for (const volume of files ?? []) {
      const [path = '', , mode] = volume.split(':');
      expect({ path, exists: existsSync(pathOf(path)), mode }).toEqual({ path, exists: true, mode: 'ro' });
    }
    expect(named?.map((volume) => volume.split(':')[0])).toEqual(Object.keys(compose.volumes));
  });

  it('starts each service after those it depends on', () => {
    for (const { depends_on } of Object.values(services)) {
      for (const [name, { condition }] of Object.entries(depends_on ?? {})) {
        expect(services).toHaveProperty(name);
        expect(condition).toBe('service_healthy');
      }
    }
  });

  it('has a default for every variable, so that it starts without an environment', () => {
    const values = Object.values(services).flatMap((service) => Object.values(service.environment ?? {}));
    for (const value of values) expect(value).not.toMatch(/\$\{\w+\}/);
  });
});

describe('its relay', () => {
  it('listens on the published ports and stores its data in the volume', () => {
    expect(services['relay']?.ports.map((port) => Number(port.split(':').at(-1)))).toEqual([
      config.server.port,
      config.admin.port,
    ]);
    expect(services['relay']?.volumes).toContain(`relay-data:${config.store.path}`);
    expect(services['relay']?.volumes).toContain('./deploy/compose/relay.yaml:/etc/relay/relay.yaml:ro');
  });

  it('reads its secrets from the environment, the same as the commands in the container', async () => {
    const { RELAY_KEY, RELAY_ADMIN_TOKEN } = services['relay']?.environment ?? {};
    expect(RELAY_KEY).toBe('${RELAY_KEY:-local-example-relay-key}');
    expect(RELAY_ADMIN_TOKEN).toBe(`\${RELAY_ADMIN_TOKEN:-${config.admin.token}}`);
    const env = { RELAY_KEY: 'k', RELAY_ADMIN_TOKEN: 't' };
    const loaded = await loadCommandConfig(pathOf('deploy/compose/relay.yaml'), env);
    expect(loaded.config.admin.token).toBe('t');
    expect(loaded.config.sources[0]?.verify[0]).toMatchObject({ values: ['k'] });
  });

  it('sends to the simulator, which runs a valid command', async () => {
    const { command = [], environment, ports } = services['simulator'] ?? {};
    const [name, ...options] = command;
    const program = await createProgram([name ?? '']);
    const simulate = program.commands[0];
    expect(simulate?.name()).toBe('simulate');
    expect(simulate?.parseOptions(options).unknown).toEqual([]);
    expect(simulate?.opts()).toMatchObject({ host: '0.0.0.0', port: 9090 });

    const simulator = await startSimulator();
    const { pathname } = new URL(simulator.inletUrl());
    await simulator.close();
    const [destination] = config.destinations;
    expect(destination?.inletUrl).toBe(`http://simulator:9090${pathname}`);
    expect(destination?.ims?.url).toBe('http://simulator:9090/ims/token/v3');
    expect(ports).toEqual(['127.0.0.1:9090:9090']);
    expect(environment?.['RELAY_HEALTH_URL']).toBe('http://127.0.0.1:9090/_sim/stats');
  });
});

describe('its Prometheus and Grafana', () => {
  it('scrape the relay and query Prometheus', () => {
    const [job] = treeOf('deploy/prometheus/prometheus.yml').scrape_configs;
    expect(job.static_configs[0].targets).toEqual([`relay:${config.admin.port}`]);
    const [source] = treeOf('deploy/grafana/provisioning/datasources/prometheus.yml').datasources;
    expect(source).toMatchObject({ uid: 'prometheus', url: 'http://prometheus:9090' });
  });

  it('have their files mounted where they read them', () => {
    const mounts = (name: string) => services[name]?.volumes?.map((volume) => volume.split(':')[1]) ?? [];
    const { rule_files: rules } = treeOf('deploy/prometheus/prometheus.yml');
    expect(mounts('prometheus')).toEqual(
      expect.arrayContaining(rules.map((file: string) => `/etc/prometheus/${file}`)),
    );
    const [provider] = treeOf('deploy/grafana/provisioning/dashboards/relay.yml').providers;
    const home = services['grafana']?.environment?.['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'];
    expect(mounts('grafana')).toContain(home);
    expect(home?.startsWith(`${provider.options.path}/`)).toBe(true);
  });
});
