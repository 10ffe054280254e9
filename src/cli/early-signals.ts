/**
 * Ends the process until other code listens for the signal too. The relay does so before it opens
 * anything.
 */
function exitUntilHandled(signal: NodeJS.Signals): void {
  // Code that was loaded before, such as that of tracing, may listen already.
  const listeners = process.listenerCount(signal) + 1;
  process.on(signal, () => {
    if (process.listenerCount(signal) <= listeners) process.exit(0);
  });
}

/**
 * The first thing that the process does, because the modules of the relay take a while to load.
 * Until they have, nothing is open, so SIGTERM and SIGINT end a starting relay at once and with
 * success. As process 1 of a container it would otherwise not even receive them.
 */
export function handleEarlySignals(command: string | undefined): void {
  // Node would open its inspector, which runs any code that it is sent.
  process.on('SIGUSR1', () => undefined);
  if (command !== 'serve') return;
  exitUntilHandled('SIGTERM');
  exitUntilHandled('SIGINT');
  // The configuration is read later anyway.
  process.on('SIGHUP', () => undefined);
}
