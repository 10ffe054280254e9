import { Command } from 'commander';
import { readVersion } from '../version.ts';

/** Adds one command to the program. */
type Register = (program: Command) => void;

/** Loader of every command, in the order of the help text. */
const COMMANDS: Readonly<Record<string, () => Promise<Register>>> = {
  init: async () => (await import('./init-command.ts')).registerInit,
  provision: async () => (await import('./provision-command.ts')).registerProvision,
  serve: async () => (await import('./serve-command.ts')).registerServe,
  check: async () => (await import('./check-command.ts')).registerCheck,
  doctor: async () => (await import('./doctor-command.ts')).registerDoctor,
  register: async () => (await import('./register-command.ts')).registerRegister,
  map: async () => (await import('./map-command.ts')).registerMap,
  status: async () => (await import('./status-command.ts')).registerStatus,
  events: async () => (await import('./events-command.ts')).registerEvents,
  explain: async () => (await import('./explain-command.ts')).registerExplain,
  ledger: async () => (await import('./ledger-command.ts')).registerLedger,
  reconcile: async () => (await import('./reconcile-command.ts')).registerReconcile,
  coverage: async () => (await import('./coverage-command.ts')).registerCoverage,
  'dead-letters': async () => (await import('./dead-letters-command.ts')).registerDeadLetters,
  quarantine: async () => (await import('./quarantine-command.ts')).registerQuarantine,
  destinations: async () => (await import('./destinations-command.ts')).registerDestinations,
  'log-level': async () => (await import('./log-level-command.ts')).registerLogLevel,
  reload: async () => (await import('./reload-command.ts')).registerReload,
  store: async () => (await import('./store-command.ts')).registerStore,
  simulate: async () => (await import('./simulate-command.ts')).registerSimulate,
  send: async () => (await import('./send-command.ts')).registerSend,
  demo: async () => (await import('./demo-command.ts')).registerDemo,
  completion: async () =>
    (await import('./completion-command.ts')).completionOf({
      names: () => Object.keys(COMMANDS),
      create: createProgram,
    }),
};

const EPILOGUE = `
Examples:
  $ capillary-relay check --config relay.yaml --connect
  $ capillary-relay doctor --config relay.yaml
  $ capillary-relay serve --config relay.yaml
  $ capillary-relay status
  $ capillary-relay ledger

Exit codes: 0 done; 1 failed, or something is missing; 2 wrong usage or configuration; 3 a plan has something to change.`;

function createRootCommand(): Command {
  return new Command('capillary-relay')
    .description('Carries loyalty events from Capillary into Adobe Experience Platform and never loses one.')
    .version(readVersion())
    .showHelpAfterError('(add --help for usage)')
    .addHelpText('after', EPILOGUE)
    .exitOverride();
}

/**
 * Creates the program for these arguments. Only the command that they name is loaded, because the
 * server and the simulator import many modules that `ledger` does not need. Without a known command
 * all are loaded, for the help text.
 */
export async function createProgram(args: readonly string[]): Promise<Command> {
  const program = createRootCommand();
  const named = Object.entries(COMMANDS).filter(([name]) => name === args[0]);
  for (const [, load] of named.length > 0 ? named : Object.entries(COMMANDS)) {
    const register = await load();
    register(program);
  }
  return program;
}
