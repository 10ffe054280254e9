import { InvalidArgumentError } from 'commander';

function isNumeral(text: string): boolean {
  return /^\d+(\.\d+)?$/.test(text);
}

/** Reads a number from `min` to `max`; commander turns what this throws into wrong usage. */
export function numberFrom(min: number, max: number) {
  return (text: string): number => {
    const number = Number(text);
    if (isNumeral(text) && number >= min && number <= max) return number;
    throw new InvalidArgumentError(`It must be a number from ${min} to ${max}.`);
  };
}

/** Reads a whole number from `min` to `max`. */
export function wholeNumberFrom(min: number, max: number) {
  return (text: string): number => {
    const number = Number(text);
    if (isNumeral(text) && Number.isInteger(number) && number >= min && number <= max) return number;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}
