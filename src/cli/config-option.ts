import { Option } from 'commander';

/** `--config FILE`, else RELAY_CONFIG, else relay.yaml where the command is run. */
export function configOption(): Option {
  return new Option('-c, --config <file>', 'configuration').env('RELAY_CONFIG').default('relay.yaml');
}

/** `--config FILE` for a command that can do without one; RELAY_CONFIG is not looked at. */
export function optionalConfigOption(purpose: string): Option {
  return new Option('-c, --config <file>', purpose);
}
