import { Command } from 'commander';
import { readVersion } from '../version.ts';

/** Adds one command to the program. */
type Register = (program: Command) => void;

/** Every command and where it comes from, in the order in which help lists them. */
const COMMANDS: Readonly<Record<string, () => Promise<Register>>> = {
  serve: async () => (await import('./serve.ts')).registerServe,
  check: async () => (await import('./check.ts')).registerCheck,
  doctor: async () => (await import('./doctor.ts')).registerDoctor,
  map: async () => (await import('./map.ts')).registerMap,
  status: async () => (await import('./status.ts')).registerStatus,
  events: async () => (await import('./events.ts')).registerEvents,
  explain: async () => (await import('./explain.ts')).registerExplain,
  ledger: async () => (await import('./ledger.ts')).registerLedger,
  coverage: async () => (await import('./coverage.ts')).registerCoverage,
  'dead-letters': async () => (await import('./dead-letters.ts')).registerDeadLetters,
  quarantine: async () => (await import('./quarantine.ts')).registerQuarantine,
  destinations: async () => (await import('./destinations.ts')).registerDestinations,
  'log-level': async () => (await import('./log-level.ts')).registerLogLevel,
  store: async () => (await import('./store.ts')).registerStore,
  simulate: async () => (await import('./simulate.ts')).registerSimulate,
  send: async () => (await import('./send.ts')).registerSend,
  demo: async () => (await import('./demo.ts')).registerDemo,
};

const EPILOGUE = `
Examples:
  $ capillary-relay check --config relay.yaml --connect
  $ capillary-relay doctor --config relay.yaml
  $ capillary-relay serve --config relay.yaml
  $ capillary-relay status
  $ capillary-relay ledger

Exit codes: 0 done; 1 it failed, or something was found missing; 2 wrong usage or configuration.`;

function bare(): Command {
  return new Command('capillary-relay')
    .description('Carries loyalty events from Capillary into Adobe Experience Platform and never loses one.')
    .version(readVersion())
    .showHelpAfterError('(add --help for what can be written here)')
    .addHelpText('after', EPILOGUE)
    .exitOverride();
}

/**
 * The program for these words. Only the command that they name is loaded, because the server and the simulator bring in much that
 * `ledger` does not need; when they name none, all are, for the list in help.
 */
export async function createProgram(words: readonly string[]): Promise<Command> {
  const program = bare();
  const named = Object.entries(COMMANDS).filter(([name]) => name === words[0]);
  for (const [, load] of named.length > 0 ? named : Object.entries(COMMANDS)) {
    const register = await load();
    register(program);
  }
  return program;
}
