type Handler = () => void;

const handlers = new Map<NodeJS.Signals, Handler>();

function stopNow(): void {
  process.exit(0);
}

/**
 * The first thing that the process does, because the modules of the relay take half a second to
 * load. Until they have, nothing is open, so SIGTERM and SIGINT end a starting relay at once and
 * with success. As process 1 of a container it would otherwise not even receive them.
 */
export function handleEarlySignals(command: string | undefined): void {
  // Node would open its inspector, which runs any code that it is sent.
  process.on('SIGUSR1', () => undefined);
  if (command !== 'serve') return;
  handlers.set('SIGTERM', stopNow);
  handlers.set('SIGINT', stopNow);
  // The configuration is read later anyway.
  handlers.set('SIGHUP', () => undefined);
  for (const [signal, handler] of handlers) process.on(signal, handler);
}

/** Ends the early handling. Call it once the handlers of the relay are installed. */
export function releaseEarlySignals(): void {
  for (const [signal, handler] of handlers) process.off(signal, handler);
  handlers.clear();
}
