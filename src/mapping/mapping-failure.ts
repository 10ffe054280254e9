/**
 * An event cannot be mapped as the configuration wants it. The message names source, event, part and position, and holds no value of the
 * event.
 */
export class MappingFailure extends Error {
  override name = 'MappingFailure';
}
